package import Core
package import Hummingbird

extension Language {
  private static let longestBytes = 200

  /// The language that was chosen last, or else the first one of the browser's that is supported; English if there is
  /// none.
  ///
  /// - Parameters:
  ///   - query: The choice in the request itself.
  ///   - isSecure: Whether the browser used https.
  package init(askedBy request: Request, query: String?, isSecure: Bool) {
    let chosen = query ?? Cookie.language.value(in: request, isSecure: isSecure)
    if let chosen, chosen.isPlain(atMost: 8), let language = Language(rawValue: chosen) {
      self = language
      return
    }
    let wanted = (request.headers[.acceptLanguage] ?? "").utf8.prefix(Self.longestBytes)
    for range in wanted.split(separator: UInt8(ascii: ",")) {
      let tag = String(decoding: range.filter { $0 != UInt8(ascii: " ") }.prefix(2), as: UTF8.self).lowercased()
      if let language = Language(rawValue: tag) {
        self = language
        return
      }
    }
    self = .english
  }
}
