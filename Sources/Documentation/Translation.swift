/// Translates the texts of a document, paragraph by paragraph.
package struct Translation: Sendable {
  private let paragraphs: [String: String]

  /// - Parameter catalogue: A list of objects, each with a text of the document (`en`) and its translation (by language
  ///   tag).
  package init(_ catalogue: DocumentNode, to language: String) {
    paragraphs = Dictionary(
      catalogue.elements.compactMap { pair in
        guard let original = pair["en"]?.string, let text = pair[language]?.string else { return nil }
        return (original, text)
      }, uniquingKeysWith: { first, _ in first })
  }

  /// Paragraphs that are not in the catalogue stay untranslated.
  func callAsFunction(_ text: String) -> String {
    Self.split(text).map { paragraphs[$0] ?? $0 }.joined(separator: "\n\n")
  }

  /// The paragraphs of a text, which are translated one by one.
  static func split(_ text: String) -> [String] {
    text.split(separator: "\n\n").map { $0.hasSuffix("\n") ? String($0.dropLast()) : String($0) }
  }
}

extension DocumentNode {
  private static let spoken = ["title", "summary", "description"]
  private static let examples = ["example", "examples", "default", "enum", "const"]

  /// The document with the texts that people read translated. What programs read, including examples, stays.
  package func translated(by translation: Translation) -> DocumentNode { map { translation($0) } }

  /// Applies a function to each text that people read.
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
          // These are names of fields, even one called `title` or `description`.
          return Member(
            member.name, .object(properties.map { Member($0.name, $0.value.map(translate)) }))
        })
    case .list(let elements): .list(elements.map { $0.map(translate) })
    case .null, .flag, .number, .text: self
    }
  }
}
