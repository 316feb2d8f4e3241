/// A document whose members keep their order, and whose numbers keep their digits.
package indirect enum DocumentNode: Sendable, Equatable {
  package struct Member: Sendable, Equatable {
    package let name: String
    package let value: DocumentNode

    package init(_ name: String, _ value: DocumentNode) {
      self.name = name
      self.value = value
    }
  }

  case null
  case flag(Bool)
  case number(String)
  case text(String)
  case list([DocumentNode])
  case object([Member])

  package var members: [Member] {
    if case .object(let members) = self { members } else { [] }
  }

  package var elements: [DocumentNode] {
    if case .list(let elements) = self { elements } else { [] }
  }

  package var string: String? {
    if case .text(let text) = self { text } else { nil }
  }

  package var isTrue: Bool { self == .flag(true) }

  package subscript(_ name: String) -> DocumentNode? {
    members.first { $0.name == name }?.value
  }

  /// The node that a reference such as `#/components/schemas/Server` refers to.
  package func at(_ reference: String) -> DocumentNode? {
    reference.split(separator: "/").dropFirst().reduce(Optional(self)) { node, name in node?[String(name)] }
  }
}
