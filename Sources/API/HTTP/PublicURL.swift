import HTTPTypes
package import Hummingbird

/// The URL at which clients reach this service.
package struct PublicURL: Sendable, Hashable, CustomStringConvertible {
  package let isSecure: Bool
  /// Host and port.
  package let authority: String
  /// Empty, or begins with a slash and does not end with one.
  package let path: String

  /// Reads the operator's setting: `https://vps.example.com`, perhaps with a path that a proxy removes.
  package init?(_ text: String) {
    guard let scheme = ["https://", "http://"].first(where: { text.hasPrefix($0) }) else { return nil }
    let rest = text.dropFirst(scheme.count)
    let authority = rest.prefix { $0 != "/" }
    var path = rest.dropFirst(authority.count)
    while path.last == "/" { path = path.dropLast() }
    guard Self.isAuthority(authority), path.utf8.allSatisfy({ Self.isPlain($0) || "/~".utf8.contains($0) }) else {
      return nil
    }
    isSecure = scheme == "https://"
    self.authority = authority.lowercased()
    self.path = String(path)
  }

  /// The URL at which the client of this request reached the service, according to the request and to trusted proxies;
  /// nil if that is not a valid host.
  package init?(of request: Request, _ origin: RequestOrigin) {
    guard let authority = origin.authority ?? request.head.authority, Self.isAuthority(authority) else { return nil }
    isSecure = origin.isSecure
    self.authority = authority
    path = ""
  }

  package var description: String { (isSecure ? "https://" : "http://") + authority + path }

  /// The same URL for WebSockets.
  var webSocketText: String { (isSecure ? "wss://" : "ws://") + authority + path }

  static func isAuthority(_ text: some StringProtocol) -> Bool {
    (1...255).contains(text.utf8.count) && text.utf8.allSatisfy { isPlain($0) || ":[]".utf8.contains($0) }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "-._".utf8.contains(byte)
  }
}
