/// The pattern of default names, for addresses whose customers choose none: `<address>.vps.example.com`.
package struct NamePattern: Hashable, Sendable, CustomStringConvertible {
  package static let placeholder = "<address>"

  private let start: String
  private let end: String

  /// Nil unless the text has the placeholder once, in its first label, and is a full domain name with any address in
  /// its place.
  package init?(_ text: String) {
    guard text.isPlain(atMost: Hostname.maximumLength) else { return nil }
    let parts = text.split(separator: Self.placeholder, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].contains(".") else { return nil }
    (start, end) = (parts[0].lowercased(), parts[1].lowercased())
    guard Hostname(ofAddress: start + Self.longest + end) != nil else { return nil }
  }

  private static let longest = Array(repeating: "ffff", count: 8).joined(separator: "-")

  /// An IPv6 address is written with all eight groups, so that no label has two hyphens in a row, or one at its end.
  package func name(of address: IPAddress) -> Hostname? {
    let bytes = address.bytes
    let parts =
      address.isIPv4
      ? bytes.map { String($0) }
      : stride(from: 0, to: bytes.count, by: 2).map { String(Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]), radix: 16) }
    return Hostname(ofAddress: start + parts.joined(separator: "-") + end)
  }

  package var description: String { start + Self.placeholder + end }
}
