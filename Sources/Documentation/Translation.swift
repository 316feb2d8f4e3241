/// Texts of a document in another language, by the paragraphs that they are made of.
package struct Translation: Sendable {
  private let paragraphs: [String: String]

  /// - Parameter catalogue: A list of objects with a text as the document has it (`en`) and as it is to be.
  package init(_ catalogue: DocumentNode, to language: String) {
    paragraphs = Dictionary(
      catalogue.elements.compactMap { pair in
        guard let original = pair["en"]?.string, let text = pair[language]?.string else { return nil }
        return (original, text)
      }, uniquingKeysWith: { first, _ in first })
  }

  /// Paragraphs that are not in the catalogue stay what they are.
  func callAsFunction(_ text: String) -> String {
    Self.split(text).map { paragraphs[$0] ?? $0 }.joined(separator: "\n\n")
  }

  /// What is translated each for itself.
  static func split(_ text: String) -> [String] {
    text.split(separator: "\n\n").map { $0.hasSuffix("\n") ? String($0.dropLast()) : String($0) }
  }
}

extension DocumentNode {
  private static let spoken = ["title", "summary", "description"]
  private static let examples = ["example", "examples", "default", "enum", "const"]

  /// The document with what it says to people in another language. What it says to programs, examples among it, stays.
  package func translated(by translation: Translation) -> DocumentNode { map { translation($0) } }

  /// With each text that people read as it is to be.
  func map(_ translate: (String) -> String) -> DocumentNode {
    switch self {
    case .object(let members):
      .object(
        members.map { member in
          if Self.examples.contains(member.name) { return member }
          if Self.spoken.contains(member.name), let text = member.value.string {
            return Member(member.name, .text(translate(text)))
          }
          guard member.name == "properties", case .object(let properties) = member.value else {
            return Member(member.name, member.value.map(translate))
          }
          // These are names of fields, whatever they are.
          return Member(
            member.name, .object(properties.map { Member($0.name, $0.value.map(translate)) }))
        })
    case .list(let elements): .list(elements.map { $0.map(translate) })
    case .null, .flag, .number, .text: self
    }
  }
}
