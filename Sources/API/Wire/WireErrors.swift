import Core

/// Everything that is wrong with a request, by the names that its client knows, so that the client learns of all errors
/// at once.
struct WireErrors: Error, Equatable {
  struct Entry: Equatable {
    let name: String
    var content: Content
  }

  enum Content: Equatable {
    case messages([String])
    /// Errors of the fields of an object, or of the elements of a list, named by their indices.
    case fields(WireErrors)
    /// One entry for each object of a list; empty if nothing is wrong with that object.
    case elements([WireErrors])
  }

  private(set) var entries: [Entry] = []

  var isEmpty: Bool { entries.isEmpty }

  mutating func add(_ name: String, _ message: String) {
    guard let index = entries.firstIndex(where: { $0.name == name }) else {
      entries.append(Entry(name: name, content: .messages([message])))
      return
    }
    // Errors inside of the field are known already, and say more.
    if case .messages(let messages) = entries[index].content {
      entries[index].content = .messages(messages + [message])
    }
  }

  /// Sets the errors inside of a nested field, in place of earlier errors of that name.
  mutating func add(_ name: String, inside content: Content) {
    entries.removeAll { $0.name == name }
    entries.append(Entry(name: name, content: content))
  }

  mutating func add(_ errors: [FieldError], by names: FieldNames) {
    for error in errors {
      for message in error.messages { add(names[error.field], message) }
    }
  }

  /// - Parameter order: The order in which the API documents the names.
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
  /// Writes the errors as the fields of an object that is already open.
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
