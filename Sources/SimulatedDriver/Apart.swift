/// A large value that is kept apart, so that what has it stays small, and its copies share it. It is replaced as a whole, and encoded
/// like the value alone.
struct Apart<Value: Codable & Equatable & Sendable>: Codable, Equatable, Sendable {
  private final class Storage: Sendable {
    let value: Value

    init(_ value: Value) {
      self.value = value
    }
  }

  private let storage: Storage

  init(_ value: Value) {
    storage = Storage(value)
  }

  init(from decoder: any Decoder) throws {
    self.init(try Value(from: decoder))
  }

  func encode(to encoder: any Encoder) throws { try storage.value.encode(to: encoder) }

  var value: Value { storage.value }

  static func == (left: Self, right: Self) -> Bool {
    left.storage === right.storage || left.storage.value == right.storage.value
  }
}
