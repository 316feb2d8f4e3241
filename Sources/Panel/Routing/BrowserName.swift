import Core

/// The name of a browser that its owner recognises: `Firefox, Linux`.
enum BrowserName {
  // The first match counts, because most browsers also name others.
  private static let programs = [
    ("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chromium/", "Chromium"), ("Chrome/", "Chrome"),
    ("Safari/", "Safari"), ("curl/", "curl"),
  ]
  private static let systems = [
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
  ]

  /// As it is stored.
  static let unknown = "unknown browser"

  static func of(_ userAgent: String) -> String {
    let text = String(decoding: userAgent.utf8.prefix(512), as: UTF8.self)
    guard text.isPlain(atMost: 512) else { return unknown }
    func first(_ list: [(mark: String, name: String)]) -> String? { list.first { text.contains($0.mark) }?.name }
    let parts = [first(Self.programs), first(Self.systems)].compactMap(\.self)
    return parts.isEmpty ? unknown : parts.joined(separator: ", ")
  }
}
