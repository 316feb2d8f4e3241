package import Core
package import Hummingbird

extension Language {
  private static let longestBytes = 200

  /// What was chosen last, or else what the browser asks for.
  ///
  /// - Parameters:
  ///   - query: What is chosen with the request itself.
  ///   - isSecure: Whether the browser reached us by https.
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
