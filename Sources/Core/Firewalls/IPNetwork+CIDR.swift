extension IPNetwork {
  /// Reads a network as rules have it: the prefix length is required, host bits must be zero, and an IPv4 network must
  /// be written as IPv4.
  init(cidr text: String) throws(InvalidNetwork) {
    guard text.isPlain(atMost: 49), let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else { throw .form }
    guard let network = IPNetwork(text) else {
      guard IPAddress(text[..<slash]) != nil, let length = Int(text[text.utf8.index(after: slash)...]) else {
        throw .form
      }
      throw Self.hasLength(length, text) ? .hostBits : .form
    }
    guard !network.isIPv4 || !text.utf8.contains(UInt8(ascii: ":")) else { throw .mapped }
    self = network
  }

  private static func hasLength(_ length: Int, _ text: String) -> Bool {
    (0...(text.utf8.contains(UInt8(ascii: ":")) ? 128 : 32)).contains(length)
  }
}

/// Why a text is not a valid network, as a message for its author.
struct InvalidNetwork: Error {
  static let form = InvalidNetwork(
    message: "Enter a network in CIDR notation, like 203.0.113.0/24, 2001:db8::/32 or, for one address, 203.0.113.5/32."
  )
  static let hostBits = InvalidNetwork(
    message: "The address has bits set beyond the length of the network: enter its first address, like 203.0.113.0/24.")
  static let mapped = InvalidNetwork(message: "Enter an IPv4 network as such, like 203.0.113.0/24.")

  let message: String
}
