import API
import CBuild
import Core
import Documentation
import Foundation
import Yams

/// docs/openapi.yaml, which is built in.
enum OpenAPIDocument {
  static var root: DocumentNode {
    get throws {
      let text = String(decoding: BuiltInFile.openAPI.content, as: UTF8.self)
      return try Yams.compose(yaml: text).map(DocumentNode.init) ?? .null
    }
  }

  /// docs/openapi.bg.yaml: each paragraph of the document that people read, and its translation.
  static var bulgarianTexts: DocumentNode {
    get throws {
      let text = String(decoding: BuiltInFile.openAPIBulgarian.content, as: UTF8.self)
      return try Yams.compose(yaml: text).map(DocumentNode.init) ?? .null
    }
  }

  /// The document with the operator's settings instead of the defaults.
  static func root(of configuration: Configuration, in language: Language = .english) throws -> DocumentNode {
    let settings = ConfigurationKey.all.map { ($0.name, $0.read(configuration).joined(separator: ", ")) }
    let shown = Dictionary(uniqueKeysWithValues: settings)
    switch language {
    case .english: return try root.showing(shown)
    case .bulgarian:
      let translation = Translation(try bulgarianTexts, to: language.rawValue)
      return try root.translated(by: translation).showing(shown, in: .bulgarian)
    }
  }
}

extension DocumentNode {
  init(_ node: Node) {
    switch node {
    case .mapping(let mapping):
      self = .object(mapping.map { Member($0.key.string ?? "", DocumentNode($0.value)) })
    case .sequence(let sequence): self = .list(sequence.map(DocumentNode.init))
    case .scalar(let scalar): self.init(scalar, node.tag)
    case .alias: self = .null
    }
  }

  /// A quoted scalar is a text, even if it looks like another type.
  private init(_ scalar: Node.Scalar, _ tag: Tag) {
    self =
      switch tag {
      case Tag(.null): .null
      case Tag(.bool): .flag(scalar.string == "true")
      case Tag(.int), Tag(.float): .number(scalar.string)
      default: .text(scalar.string)
      }
  }
}
