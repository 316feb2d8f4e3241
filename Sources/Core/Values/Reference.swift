package import Foundation

/// How a customer refers to something: by its id, or by its uuid.
package enum Reference<Entity>: Hashable, Sendable, CustomStringConvertible {
  case id(ID<Entity>)
  case uuid(UUID)

  /// Nil unless the text is a positive number or a uuid.
  package init?(_ text: some StringProtocol) {
    guard text.isPlain(atMost: 64) else { return nil }
    if let number = Int64(text) {
      guard number > 0, text.first != "+" else { return nil }
      self = .id(ID(number))
    } else {
      guard let uuid = UUID(text: String(text)) else { return nil }
      self = .uuid(uuid)
    }
  }

  package var description: String {
    switch self {
    case .id(let id): id.description
    case .uuid(let uuid): uuid.text
    }
  }
}
