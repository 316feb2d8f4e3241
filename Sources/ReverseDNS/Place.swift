import Core

/// Where the name of an address stands: a zone of a server, and what the address is called in it.
struct Place: Hashable {
  /// With a dot at its end, as what follows.
  let zone: String
  let owner: String

  /// Nil for what a server says that no zone for addresses can be: it becomes input of a program.
  init?(zone: String, owner: String) {
    guard Self.isPlain(zone), Self.isPlain(owner), owner == zone || owner.hasSuffix(".\(zone)"),
      zone.hasSuffix(".in-addr.arpa.") || zone.hasSuffix(".ip6.arpa.")
    else { return nil }
    self.zone = zone
    self.owner = owner
  }

  /// Whether a name is one that programs take as one. RFC 2317 has a slash in names of zones.
  static func isPlain(_ name: String) -> Bool {
    (2...254).contains(name.utf8.count) && name.utf8.first != UInt8(ascii: "-")
      && name.utf8.allSatisfy { byte in
        (48...57).contains(byte) || (97...122).contains(byte) || "-./_".utf8.contains(byte)
      }
  }

  /// What a network smaller than a /24 may be called where only its own zone is on the server, and the aliases that lead to it are its
  /// provider's (RFC 2317): names of the address in it, those of larger networks first.
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
