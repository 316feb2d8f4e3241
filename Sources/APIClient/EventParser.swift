import Synchronization

/// Parses server-sent events from bytes that arrive in pieces.
final class EventParser: Sendable {
  private static let maximumLineBytes = 1 << 20

  fileprivate struct State {
    var line: [UInt8] = []
    var id = ""
    var type = ""
    var data = ""
    var hasID = false
  }

  private let state = Mutex(State())

  func take(_ bytes: [UInt8]) -> [APIClient.Event] {
    state.withLock { state in
      var events: [APIClient.Event] = []
      for byte in bytes {
        if byte == UInt8(ascii: "\n") {
          if state.line.last == UInt8(ascii: "\r") { state.line.removeLast() }
          if let event = state.take(String(decoding: state.line, as: UTF8.self)) { events.append(event) }
          state.line = []
        } else if state.line.count < Self.maximumLineBytes {
          state.line.append(byte)
        }
      }
      return events
    }
  }
}

extension EventParser.State {
  fileprivate mutating func take(_ line: String) -> APIClient.Event? {
    guard !line.isEmpty else { return dispatch() }
    let name = line.prefix { $0 != ":" }
    var value = line.dropFirst(name.count + 1)
    if value.first == " " { value = value.dropFirst() }
    switch name {
    case "id":
      id = String(value)
      hasID = true
    case "event": type = String(value)
    case "data": data += data.isEmpty ? String(value) : "\n" + value
    default: break
    }
    return nil
  }

  private mutating func dispatch() -> APIClient.Event? {
    defer { (type, data, hasID) = ("", "", false) }
    if data.isEmpty {
      return hasID ? APIClient.Event(id: id, type: "beginning", data: .null) : nil
    }
    return APIClient.Event(id: id, type: type, data: (try? JSON(parsing: data.utf8)) ?? .string(data))
  }
}
