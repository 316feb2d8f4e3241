import HTTPTypes
package import Hummingbird

/// The cookies of this service.
package struct Cookie: Sendable {
  let name: String
  let lifetimeSeconds: Int64

  package static let session = Cookie(name: "vpsd_session", lifetimeSeconds: 14 * 86_400)
  package static let language = Cookie(name: "vpsd_language", lifetimeSeconds: 365 * 86_400)

  /// Browsers accept a cookie with this prefix only from the host itself, and only by https.
  private static let securePrefix = "__Host-"
  private static let longestBytes = 16_384

  /// - Parameter isSecure: Whether the browser used https: then only the cookie with the prefix counts, which no other
  ///   host can set.
  package func value(in request: Request, isSecure: Bool) -> String? {
    let name = isSecure ? Self.securePrefix + name : name
    let pairs = request.headers[values: .cookie].flatMap { line in
      line.utf8.prefix(Self.longestBytes).split(separator: UInt8(ascii: ";")).map { pair in
        pair.drop { $0 == UInt8(ascii: " ") }
      }
    }
    let beginning = Array((name + "=").utf8)
    return pairs.first { $0.starts(with: beginning) }.map {
      String(decoding: $0.dropFirst(beginning.count), as: UTF8.self)
    }
  }

  /// Scripts cannot read the cookie, and requests from other sites do not bring it, except by following a link.
  ///
  /// - Parameter value: Nil deletes the cookie.
  package func set(_ value: String?, isSecure: Bool, in response: inout Response) {
    let age = value == nil ? 0 : lifetimeSeconds
    let prefix = isSecure ? Self.securePrefix : ""
    response.headers.append(
      HTTPField(
        name: .setCookie,
        value: "\(prefix)\(name)=\(value ?? ""); Path=/; Max-Age=\(age); HttpOnly; SameSite=Lax"
          + (isSecure ? "; Secure" : "")))
  }
}
