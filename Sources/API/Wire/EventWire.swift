import Core
package import Engine
package import NIOCore

/// Events in the format of `text/event-stream`: an id, a type, and one line of JSON.
package enum EventWire {
  package static func element(_ element: Events.Element) -> ByteBuffer {
    switch element {
    // Without data this is no event: clients remember the id, and do nothing else.
    case .beginning(let id): ByteBuffer(string: ": heartbeat\nid: \(id)\n\n")
    case .event(let event): message(id: event.id, type: type(of: event), data(of: event))
    case .gap(let id):
      message(
        id: id, type: "gap",
        JSONWriter.object { $0.field("detail", "Some events are not kept any more. Read the servers again.") })
    case .heartbeat: ByteBuffer(string: ": heartbeat\n\n")
    }
  }

  private static func message(id: Int64, type: String, _ data: ByteBuffer) -> ByteBuffer {
    var buffer = ByteBuffer(string: "id: \(id)\nevent: \(type)\ndata: ")
    buffer.writeImmutableBuffer(data)
    buffer.writeString("\n\n")
    return buffer
  }

  private static func type(of event: ServerEvent) -> String {
    switch event.subject {
    case .server(nil): "server.deleted"
    case .server: "server.status"
    case .deletion: "server.deletion"
    case .throttle: "server.throttle"
    case .operation: "operation"
    }
  }

  private static func data(of event: ServerEvent) -> ByteBuffer {
    JSONWriter.object { writer in
      writer.field("id", event.id)
      writer.field("type", type(of: event))
      writer.field("at", event.at)
      writer.field("server") { writer in
        writer.field("id", event.serverID.value)
        writer.field("name", event.serverName.name)
        if case .server(let status?) = event.subject { writer.field("status", status.rawValue) }
        if case .throttle(let isThrottled) = event.subject { writer.field("throttled", isThrottled) }
        if case .deletion(let time) = event.subject { writer.field("deletion_at", time) }
      }
      if case .operation(let id, let kind, let state, let reason, let subject) = event.subject {
        writer.field("operation") { writer in
          writer.field("id", id.value)
          writer.field("kind", kind.rawValue)
          writer.field("status", state.rawValue)
          writer.field("reason", reason)
          OperationWire.subject(&writer, subject)
        }
      }
    }
  }
}
