import Foundation
import Yams

/// The content of a configuration file before validation.
struct ConfigurationFile {
  struct Entry {
    let key: String
    /// `vpsd.yaml:3`.
    let origin: String
    /// Nil where there is no value, or one of a type that no key accepts.
    let value: ConfigurationValue?
  }

  struct Section {
    let code: String
    let origin: String
    let entries: [Entry]
  }

  static let locationsKey = "locations"
  /// The part before the dot in the names of keys.
  private static let sections = Set(
    ConfigurationKey.all.compactMap { key in key.name.firstIndex(of: ".").map { String(key.name[..<$0]) } })

  let entries: [Entry]
  /// The sections of single locations.
  var locations: [Section] = []
  let problems: [ConfigurationError.Problem]

  static func read(_ file: URL) -> ConfigurationFile {
    func unusable(_ message: String) -> ConfigurationFile {
      ConfigurationFile(entries: [], problems: [.init(origin: file.path, key: nil, message: message)])
    }
    let text: String
    do {
      text = try String(contentsOf: file, encoding: .utf8)
    } catch {
      return unusable("cannot be read: \(error.localizedDescription)")
    }
    do {
      guard let root = try Parser(yaml: text).singleRoot(), root.null == nil else {
        return ConfigurationFile(entries: [], problems: [])
      }
      guard let mapping = root.mapping else { return unusable("is not a list of keys with their values") }
      let entries = entries(of: mapping, in: file)
      let (locations, problems) = locations(of: mapping, in: file)
      return ConfigurationFile(
        entries: entries.filter { $0.key != locationsKey }, locations: locations, problems: problems)
    } catch {
      return unusable("is not YAML: \(error)")
    }
  }

  private static func locations(of root: Node.Mapping, in file: URL) -> ([Section], [ConfigurationError.Problem]) {
    func origin(_ node: Node) -> String { file.path + (node.mark.map { ":\($0.line)" } ?? "") }
    var sections: [Section] = []
    var problems: [ConfigurationError.Problem] = []
    for (key, value) in root where key.string == locationsKey && value.null == nil {
      guard let mapping = value.mapping else {
        problems.append(
          .init(origin: origin(key), key: locationsKey, message: "it must be \(LocationKey.sectionRule)"))
        continue
      }
      for (code, settings) in mapping {
        guard let name = code.string, let entries = settings.null == nil ? settings.mapping : [:] else {
          problems.append(
            .init(origin: origin(code), key: locationsKey, message: "it must be \(LocationKey.sectionRule)"))
          continue
        }
        sections.append(Section(code: name, origin: origin(code), entries: Self.entries(of: entries, in: file)))
      }
    }
    return (sections, problems)
  }

  private static func entries(of mapping: Node.Mapping, in file: URL) -> [Entry] {
    mapping.flatMap { key, value in
      let name = key.string ?? "?"
      // A key in a section is named by the section and its own name.
      if let section = value.mapping, sections.contains(name) {
        return self.entries(of: section, in: file).map {
          Entry(key: "\(name).\($0.key)", origin: $0.origin, value: $0.value)
        }
      }
      return [
        Entry(
          key: name, origin: file.path + (key.mark.map { ":\($0.line)" } ?? ""),
          value: ConfigurationValue(value, relativeTo: file.deletingLastPathComponent()))
      ]
    }
  }
}

extension ConfigurationValue {
  fileprivate init?(_ node: Node, relativeTo directory: URL) {
    if node.null != nil { return nil }
    switch node {
    case .scalar(let scalar):
      self.init(texts: [scalar.string], isList: false, baseDirectory: directory)
    case .sequence(let sequence):
      let texts = sequence.compactMap(\.scalar?.string)
      guard texts.count == sequence.count else { return nil }
      self.init(texts: texts, isList: true, baseDirectory: directory)
    case .mapping, .alias:
      return nil
    }
  }
}
