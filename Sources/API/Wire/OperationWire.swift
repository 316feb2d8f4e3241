import Core

/// An operation as the history of its server shows it.
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
    }
  }
}
