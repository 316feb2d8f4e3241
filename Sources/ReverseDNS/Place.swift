import Core

/// Where the name of an address is stored: a zone of a server, and the record's owner in that zone.
struct Place: Hashable {
  /// With a trailing dot, like `owner`.
  let zone: String
  let owner: String

  /// Nil where this cannot be a zone for addresses. The names come from a server and become input of a program.
  init?(zone: String, owner: String) {
    guard Self.isPlain(zone), Self.isPlain(owner), owner == zone || owner.hasSuffix(".\(zone)"),
      zone.hasSuffix(".in-addr.arpa.") || zone.hasSuffix(".ip6.arpa.")
    else { return nil }
    self.zone = zone
    self.owner = owner
  }

  /// Whether programs read the text as a single name. Zones have a slash in their names by RFC 2317.
  static func isPlain(_ name: String) -> Bool {
    (2...254).contains(name.utf8.count) && name.utf8.first != UInt8(ascii: "-")
      && name.utf8.allSatisfy { byte in
        (48...57).contains(byte) || (97...122).contains(byte) || "-./_".utf8.contains(byte)
      }
  }

  /// The names that an address may have in the zone of a network smaller than a /24 (RFC 2317), where only that zone is on the
  /// server and the aliases that lead to it are at the provider. Those of larger networks come first.
  static func candidates(for address: IPAddress) -> [String] {
    guard address.isIPv4 else { return [] }
    let bytes = address.bytes
    let rest = "\(bytes[2]).\(bytes[1]).\(bytes[0]).in-addr.arpa."
    return (25...31).flatMap { length -> [String] in
      let size = 1 << (32 - length)
      let first = Int(bytes[3]) / size * size
      return ["\(first)/\(length)", "\(first)-\(length)", "\(first)-\(first + size - 1)"].map {
        "\(bytes[3]).\($0).\(rest)"
      }
    }
  }
}
