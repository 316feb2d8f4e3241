/// A publisher's list of checksums: lines as `sha256sum` writes them (`SUM  NAME`, `SUM *NAME`), with `--tag`
/// (`SHA256 (NAME) = SUM`), or a sum alone.
struct ChecksumList {
  static let maximumBytes = 1 << 20

  private let lines: [Substring]

  init(_ text: String) {
    // `isNewline` also matches the line ends of a list from Windows.
    lines = text.split(whereSeparator: \.isNewline)
  }

  /// The strongest digest that the list has for a file of this name; nil where it has none, or two that contradict each other.
  func digest(of name: String) -> Digest? {
    let named = lines.compactMap { Self.tagged($0, name) ?? Self.plain($0, name) }
    let found = named.isEmpty ? lone : named
    for algorithm in [Digest.Algorithm.sha512, .sha256] {
      let digests = found.filter { $0.algorithm == algorithm }
      if let first = digests.first { return digests.allSatisfy { $0 == first } ? first : nil }
    }
    return nil
  }

  private static func tagged(_ line: Substring, _ name: String) -> Digest? {
    for algorithm in Digest.Algorithm.allCases {
      let start = "\(algorithm.name) (\(name)) = "
      guard line.hasPrefix(start), let digest = Digest(hexadecimal: line.dropFirst(start.count)) else { continue }
      return digest.algorithm == algorithm ? digest : nil
    }
    return nil
  }

  private static func plain(_ line: Substring, _ name: String) -> Digest? {
    let words = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
    guard words.count == 2, let digest = Digest(hexadecimal: words[0]) else { return nil }
    let file = words[1].drop { $0 == " " || $0 == "*" }
    return file == name || file == "./\(name)" ? digest : nil
  }

  /// A list of a single file may leave out its name.
  private var lone: [Digest] {
    lines.count == 1 ? [Digest(hexadecimal: lines[0])].compactMap { $0 } : []
  }
}
