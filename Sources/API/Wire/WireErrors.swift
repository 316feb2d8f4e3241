import Core

/// What is wrong with the parts of a request, by the names that its client knows: all of it, so that the client learns of
/// everything at once.
struct WireErrors: Error, Equatable {
  struct Entry: Equatable {
    let name: String
    var messages: [String]
  }

  private(set) var entries: [Entry] = []

  var isEmpty: Bool { entries.isEmpty }

  mutating func add(_ name: String, _ message: String) {
    if let index = entries.firstIndex(where: { $0.name == name }) {
      entries[index].messages.append(message)
    } else {
      entries.append(Entry(name: name, messages: [message]))
    }
  }

  mutating func add(_ errors: [FieldError], by names: FieldNames) {
    for error in errors {
      for message in error.messages { add(names[error.field], message) }
    }
  }

  /// - Parameter order: In which the API documents the names.
  func throwIfAny(order: [String] = []) throws(WireErrors) {
    guard !isEmpty else { return }
    let rank = { (name: String) in order.firstIndex(of: name) ?? order.count }
    var sorted = self
    sorted.entries.sort { rank($0.name) < rank($1.name) }
    throw sorted
  }
}

extension WireErrors {
  init(_ name: String, _ message: String) {
    entries = [Entry(name: name, messages: [message])]
  }

  init(_ errors: [FieldError]) {
    add(errors, by: FieldNames())
  }
}
