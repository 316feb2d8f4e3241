import HTTPTypes
package import Hummingbird

/// What browsers keep for us.
package struct Cookie: Sendable {
  let name: String
  let lifetimeSeconds: Int64

  package static let session = Cookie(name: "vpsd_session", lifetimeSeconds: 14 * 86_400)
  package static let language = Cookie(name: "vpsd_language", lifetimeSeconds: 365 * 86_400)

  /// Browsers take a cookie of such a name only from its host itself, by https.
  private static let securePrefix = "__Host-"
  private static let longestBytes = 16_384

  /// - Parameter isSecure: Whether the browser reached us by https: then only what nobody else can have set counts.
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

  /// Kept from scripts, and from requests that other sites make.
  ///
  /// - Parameter value: Nil to have it forgotten.
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
