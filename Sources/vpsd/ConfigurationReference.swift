import Foundation
import Yams

/// The documentation of all keys.
enum ConfigurationReference {
  /// A table for `docs/configuration.md`.
  static var markdown: String {
    let rows = ConfigurationKey.all.map { key in
      let standard = key.defaultText.contains("`") ? key.defaultText : "`\(key.defaultText)`"
      return "| `\(key.name)` | `\(key.variable)` | \(standard) | \(key.description): \(key.rule) |"
    }
    return (["| Key | Variable | Default | What it is |", "|---|---|---|---|"] + rows).joined(separator: "\n")
  }

  /// A table of a location's keys for `docs/configuration.md`.
  static var locationMarkdown: String {
    let rows = LocationKey.all.map { "| `\($0.name)` | \($0.description): \($0.rule) |" }
    return (["| Key | What it is |", "|---|---|"] + rows).joined(separator: "\n")
  }

  /// A file with all keys in comments, each with its default.
  static var example: String {
    let opening = """
      # The configuration of vpsd: each key with what it is and with what holds where it is not set. Remove the # before a key to set it.
      # `vpsd config` prints what is in effect. VPSD_ and the key's name in the environment wins over this file.

      """
    var section: Substring?
    return ConfigurationKey.all.reduce(into: opening) { text, key in
      let parts = key.name.split(separator: ".")
      let said = "\(key.description): \(key.rule)".replacing("`", with: "")
      text += "\n" + wrapped(said).map { "# \($0)\n" }.joined()
      if parts.count > 1, section != parts[0] { text += "# \(parts[0]):\n" }
      section = parts.count > 1 ? parts[0] : nil
      let standard = key.defaultText.replacing("`", with: "")
      text += "# \(parts.count > 1 ? "  " : "")\(parts[parts.count - 1]): \(standard)\n"
    }
  }

  private static let lineLength = 100

  private static func wrapped(_ text: String) -> [String] {
    text.split(separator: " ").reduce(into: []) { lines, word in
      if let last = lines.last, last.count + word.count < lineLength {
        lines[lines.count - 1] += " \(word)"
      } else {
        lines.append(String(word))
      }
    }
  }

  /// A paragraph for `--help`.
  static var help: String {
    let lines = ConfigurationKey.all.map { key in
      let standard = key.defaultText.replacing("`", with: "")
      return "  \(key.name), \(key.variable) (default: \(standard))\n      \(key.description): \(key.rule)"
    }
    return "Every setting has a key in the file and a variable in the environment. The environment wins over the "
      + "file, and an option of the command line over both.\n\n" + lines.joined(separator: "\n")
  }
}

extension Configuration {
  private var locationPairs: [(Node, Node)] {
    guard !locations.isEmpty else { return [] }
    let sections = locations.sorted { $0.key < $1.key }.map { code, settings in
      let values = LocationKey.all.compactMap { key in key.read(settings).map { (key.name, Self.node($0)) } }
      return (Node(code), Node(Self.nested(values)))
    }
    return [(Node(ConfigurationFile.locationsKey), Node(sections))]
  }

  private static func node(_ texts: [String]) -> Node {
    texts.count == 1 ? Node(texts[0]) : Node(texts.map { Node($0) }, .implicit, .flow)
  }

  /// A file that results in exactly this configuration.
  func yaml() throws -> String {
    let values = ConfigurationKey.all.map { key in
      let values = key.read(self).map { Node($0) }
      return (key.name, key.isList ? Node(values, .implicit, .flow) : values[0])
    }
    return try serialize(node: Node(Self.nested(values) + locationPairs), allowUnicode: true)
  }

  /// Puts a key with a dot in its name into its section.
  private static func nested(_ values: [(name: String, value: Node)]) -> [(Node, Node)] {
    var pairs: [(Node, Node)] = []
    var section: (name: String, pairs: [(Node, Node)])?
    func endSection() {
      if let ended = section { pairs.append((Node(ended.name), Node(ended.pairs))) }
      section = nil
    }
    for (name, value) in values {
      let parts = name.split(separator: ".").map { String($0) }
      if section?.name != parts[0] { endSection() }
      if parts.count == 1 {
        pairs.append((Node(name), value))
      } else {
        section = (parts[0], (section?.pairs ?? []) + [(Node(parts[1]), value)])
      }
    }
    endSection()
    return pairs
  }
}
