import Core

/// An operation in the history of its server.
enum OperationWire {
  static func record(_ writer: inout JSONWriter, _ record: OperationRecord) {
    writer.object { writer in
      writer.field("id", record.id.value)
      writer.field("kind", record.kind.rawValue)
      writer.field("status", record.state.rawValue)
      writer.field("step", record.step)
      writer.field("requested_by", record.requestedBy)
      writer.field("created_at", record.createdAt)
      writer.field("started_at", record.startedAt)
      writer.field("finished_at", record.finishedAt)
      writer.field("reason", record.reason)
      subject(&writer, record.subject)
      if let move = record.move { self.move(&writer, move) }
    }
  }

  private static func move(_ writer: inout JSONWriter, _ move: MoveRecord) {
    writer.field("move") { writer in
      writer.field("from", move.fromLocation)
      writer.field("to", move.toLocation)
      writer.field("old_ip_address", move.oldAddress?.description)
      writer.field("new_ip_address", move.newAddress?.description)
      writer.field("downtime_seconds", move.downtime.map { ($0.milliseconds + 999) / 1000 })
    }
  }

  /// What the operation is about in addition to its server.
  static func subject(_ writer: inout JSONWriter, _ subject: OperationSubject?) {
    let named: (type: String, id: Int64)? =
      switch subject {
      case .backup(let id)?: ("backup", id.value)
      case .snapshot(let id)?: ("snapshot", id.value)
      case .plan(let id)?: ("plan", id.value)
      case .operatingSystem(let id)?: ("os", id.value)
      case nil: nil
      }
    guard let named else { return writer.field("subject", nil as String?) }
    writer.field("subject") { writer in
      writer.field("type", named.type)
      writer.field("id", named.id)
    }
  }
}
