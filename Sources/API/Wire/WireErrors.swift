import Core

/// What is wrong with the parts of a request, by the names that its client knows: all of it, so that the client learns of
/// everything at once.
struct WireErrors: Error, Equatable {
  struct Entry: Equatable {
    let name: String
    var content: Content
  }

  enum Content: Equatable {
    case messages([String])
    /// What is wrong with the fields of an object, or with the elements of a list, by their numbers.
    case fields(WireErrors)
    /// What is wrong with the objects of a list, of each of them, and nothing of most.
    case elements([WireErrors])
  }

  private(set) var entries: [Entry] = []

  var isEmpty: Bool { entries.isEmpty }

  mutating func add(_ name: String, _ message: String) {
    guard let index = entries.firstIndex(where: { $0.name == name }) else {
      entries.append(Entry(name: name, content: .messages([message])))
      return
    }
    // What is wrong inside of it is known already, and says more.
    if case .messages(let messages) = entries[index].content {
      entries[index].content = .messages(messages + [message])
    }
  }

  /// What is wrong inside of a part that is none of the simple ones.
  mutating func add(_ name: String, inside content: Content) {
    entries.removeAll { $0.name == name }
    entries.append(Entry(name: name, content: content))
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
    entries = [Entry(name: name, content: .messages([message]))]
  }

  init(_ errors: [FieldError]) {
    add(errors, by: FieldNames())
  }
}

extension WireErrors {
  /// Its fields, into an object.
  func write(to writer: inout JSONWriter) {
    for entry in entries {
      switch entry.content {
      case .messages(let messages): writer.field(named: entry.name, messages)
      case .fields(let errors):
        writer.field(named: entry.name) { writer in writer.object { errors.write(to: &$0) } }
      case .elements(let elements):
        writer.field(named: entry.name) { writer in
          writer.array(elements) { writer, errors in writer.object { errors.write(to: &$0) } }
        }
      }
    }
  }
}
