import CBuild

/// The version of this program.
enum ProgramVersion {
  /// CHANGELOG.md has a section for each.
  static let number = "0.1.0"

  /// The commit of the sources; nil where the build did not set it.
  static var commit: String? {
    let text = String(cString: vpsd_build_commit())
    return text.isEmpty ? nil : text
  }

  static var text: String { "vpsd \(number)" + (commit.map { " (commit \($0))" } ?? "") }
}
