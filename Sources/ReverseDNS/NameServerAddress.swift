package import Core

/// The address and port of a DNS server: `192.0.2.53`, `192.0.2.53:5353` or `[2001:db8::53]:5353`.
package struct NameServerAddress: Hashable, Sendable, CustomStringConvertible {
  package let address: IPAddress
  package let port: UInt16

  package init?(_ text: String) {
    guard text.isPlain(atMost: 64) else { return nil }
    if let address = IPAddress(text) {
      (self.address, port) = (address, 53)
      return
    }
    guard let colon = text.lastIndex(of: ":"), let number = Self.port(text[text.index(after: colon)...]) else {
      return nil
    }
    let host = text[..<colon]
    let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
    guard let address = IPAddress(isBracketed ? host.dropFirst().dropLast() : host),
      isBracketed == host.contains(":")
    else { return nil }
    (self.address, port) = (address, number)
  }

  private static func port(_ text: Substring) -> UInt16? {
    guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }),
      let number = UInt16(text), number > 0
    else { return nil }
    return number
  }

  package var description: String {
    if port == 53 { return address.description }
    return address.isIPv4 ? "\(address):\(port)" : "[\(address)]:\(port)"
  }
}
