import CLibvirt
import Core
import Foundation

/// What the bulk call tells about one domain.
struct DomainStatistics: Sendable {
  let domain: Domain
  let state: DomainState
  let cpuNanoseconds: Int64?
  let memoryUsedMiB: Int?
  let diskAllocatedBytes: Int64?

  init(domain: Domain, record: virDomainStatsRecord) {
    var values: [String: Int64] = [:]
    for index in 0..<Int(record.nparams) {
      guard let parameter = record.params?[index] else { continue }
      let field = withUnsafeBytes(of: parameter.field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      switch UInt32(bitPattern: parameter.type) {
      case VIR_TYPED_PARAM_INT.rawValue: values[field] = Int64(parameter.value.i)
      case VIR_TYPED_PARAM_UINT.rawValue: values[field] = Int64(parameter.value.ui)
      case VIR_TYPED_PARAM_LLONG.rawValue: values[field] = parameter.value.l
      case VIR_TYPED_PARAM_ULLONG.rawValue: values[field] = Int64(clamping: parameter.value.ul)
      default: break
      }
    }
    self.domain = domain
    self.state = DomainState(
      state: Int32(clamping: values["state.state"] ?? 0), reason: Int32(clamping: values["state.reason"] ?? 0))
    self.cpuNanoseconds = values["cpu.time"]
    self.diskAllocatedBytes = values["block.0.allocation"]
    // Both in KiB, and only there once the guest's balloon driver has reported.
    if let available = values["balloon.available"], let usable = values["balloon.usable"], available >= usable {
      self.memoryUsedMiB = Int((available - usable) / 1024)
    } else {
      self.memoryUsedMiB = nil
    }
  }
}
