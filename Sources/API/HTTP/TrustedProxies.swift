package import Core
import Foundation

/// The proxies in front of the service that are trusted to tell who their clients are. Nobody else is.
package struct TrustedProxies: Sendable, Equatable {
  package static let none = TrustedProxies([])

  /// No real chain of proxies is longer; entries further to the left are not read.
  private static let longestChain = 32

  package let networks: [IPNetwork]

  package init(_ networks: [IPNetwork]) {
    self.networks = networks
  }

  func contains(_ address: String) -> Bool {
    guard !networks.isEmpty, let address = IPAddress(address) else { return false }
    return contains(address)
  }

  private func contains(_ address: IPAddress) -> Bool { networks.contains { $0.contains(address) } }

  /// - Parameters:
  ///   - peer: The IP address that opened the connection.
  ///   - values: All values of a header of the request, in their order.
  func origin(peer: String, values: (String) -> [String]) -> RequestOrigin {
    guard contains(peer) else { return RequestOrigin(address: IPAddress(peer)?.description ?? peer) }
    let addresses = Self.elements(values("X-Forwarded-For"))
    var client = peer
    var hop: Int?
    // Each proxy has appended the address that it saw. The last address that is not a trusted proxy is the client;
    // entries before it were written by the client itself.
    for (index, text) in addresses.enumerated().reversed() {
      guard let address = Self.address(in: text) else { break }
      client = address.description
      hop = index
      guard contains(address) else { break }
    }
    // If every proxy has appended to this list, too, the entry of the one that saw the client counts; otherwise the
    // last entry.
    func word(_ name: String) -> Substring? {
      let words = Self.elements(values(name))
      guard words.count == addresses.count, let hop else { return words.last }
      return words[hop]
    }
    var origin = RequestOrigin(address: client)
    if let scheme = word("X-Forwarded-Proto") { origin.isSecure = scheme.utf8.isToken("https") }
    if let host = word("X-Forwarded-Host"), PublicURL.isAuthority(host) { origin.authority = String(host) }
    return origin
  }

  /// The elements of a list that may span several header lines; empty ones are left out.
  private static func elements(_ lines: [String]) -> [Substring] {
    Array(lines.flatMap(\.listElements).suffix(longestChain))
  }

  /// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:4711`.
  private static func address(in text: Substring) -> IPAddress? {
    var host = text
    if host.utf8.first == UInt8(ascii: "[") {
      guard let end = host.utf8.firstIndex(of: UInt8(ascii: "]")) else { return nil }
      let rest = host.utf8[end...].dropFirst()
      guard rest.isEmpty || isPort(rest) else { return nil }
      host = host[..<end].dropFirst()
      guard host.utf8.contains(UInt8(ascii: ":")) else { return nil }
    } else if let colon = host.utf8.firstIndex(of: UInt8(ascii: ":")), host.utf8.contains(UInt8(ascii: ".")),
      isPort(host.utf8[colon...])
    {
      host = host[..<colon]
    }
    return IPAddress(host)
  }

  /// Whether the text is a colon followed by a port.
  private static func isPort(_ text: Substring.UTF8View) -> Bool {
    text.first == UInt8(ascii: ":") && (2...6).contains(text.count)
      && text.dropFirst().allSatisfy { (48...57).contains($0) }
  }
}

/// Where a request comes from, and how its client reached the service, as far as the connection and trusted proxies
/// tell.
package struct RequestOrigin: Sendable, Equatable {
  package let address: String
  package var isSecure = false
  /// Host and port; nil to use those of the request itself.
  package var authority: String?

  /// The client that limits apply to.
  package var client: String { IPAddress(address)?.client.description ?? address }
}
