import CBuild

/// Which program this is.
enum ProgramVersion {
  /// CHANGELOG.md has a part for each.
  static let number = "0.1.0"

  /// Of the sources; nil where whoever built it did not say.
  static var commit: String? {
    let text = String(cString: vpsd_build_commit())
    return text.isEmpty ? nil : text
  }

  static var text: String { "vpsd \(number)" + (commit.map { " (commit \($0))" } ?? "") }
}
