import Hummingbird

/// Refuses a query parameter that is given twice with different values: only one would be read, and the other one
/// silently lost.
enum QueryNames {
  static func requireOnce(_ request: Request) throws(WireErrors) {
    guard let query = request.uri.query, !query.isEmpty else { return }
    var seen: [[UInt8]: Substring.UTF8View] = [:]
    for part in query.utf8.split(separator: UInt8(ascii: "&")) {
      let name = part.prefix { $0 != UInt8(ascii: "=") }
      let value = part.dropFirst(name.count)
      // A parameter without a value counts as absent.
      guard value.count > 1 else { continue }
      let decoded = decoded(name)
      guard let earlier = seen.updateValue(value, forKey: decoded) else { continue }
      guard earlier.elementsEqual(value) else {
        throw WireErrors(printed(decoded), "Give this parameter once.")
      }
    }
  }

  private static func decoded(_ name: Substring.UTF8View) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = name
    while let byte = rest.popFirst() {
      let digits = rest.prefix(2)
      guard byte == UInt8(ascii: "%"), digits.count == 2, let number = UInt8(String(Substring(digits)), radix: 16)
      else {
        bytes.append(byte)
        continue
      }
      bytes.append(number)
      rest = rest.dropFirst(2)
    }
    return bytes
  }

  /// A name that cannot be one of this API is not repeated in the reply.
  private static func printed(_ name: [UInt8]) -> String {
    let isPlain =
      (1...64).contains(name.count) && name.allSatisfy { (97...122).contains($0) || $0 == UInt8(ascii: "_") }
    return isPlain ? String(decoding: name, as: UTF8.self) : "non_field_errors"
  }
}
