import CLibvirt
import Foundation

/// libvirt's typed parameters by name.
struct TypedParameters {
  private(set) var numbers: [String: Int64] = [:]
  private(set) var texts: [String: String] = [:]

  init(_ parameters: virTypedParameterPtr?, count: Int) {
    guard let parameters else { return }
    for parameter in UnsafeBufferPointer(start: parameters, count: count) {
      let field = withUnsafeBytes(of: parameter.field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      switch UInt32(bitPattern: parameter.type) {
      case VIR_TYPED_PARAM_INT.rawValue: numbers[field] = Int64(parameter.value.i)
      case VIR_TYPED_PARAM_UINT.rawValue: numbers[field] = Int64(parameter.value.ui)
      case VIR_TYPED_PARAM_LLONG.rawValue: numbers[field] = parameter.value.l
      case VIR_TYPED_PARAM_ULLONG.rawValue: numbers[field] = Int64(clamping: parameter.value.ul)
      case VIR_TYPED_PARAM_BOOLEAN.rawValue: numbers[field] = Int64(parameter.value.b)
      case VIR_TYPED_PARAM_STRING.rawValue: texts[field] = parameter.value.s.map { String(cString: $0) }
      default: break
      }
    }
  }
}
