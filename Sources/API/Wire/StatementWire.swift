import Core
import NIOCore

/// Ledger and statement in the form of the API. Amounts are texts with six decimal places, which are exact in every
/// language.
enum StatementWire {
  static func entry(_ writer: inout JSONWriter, _ entry: LedgerEntry) {
    writer.object { writer in
      writer.field("id", entry.id.value)
      writer.field("created_at", entry.createdAt)
      writer.field("reason", entry.reason.rawValue)
      writer.field("amount", entry.amount.exactDecimal)
      writer.field("balance", entry.balance.exactDecimal)
      writer.field(named: "server") { writer in
        guard let id = entry.serverID else { return writer.null() }
        writer.object { writer in
          writer.field("id", id.value)
          writer.field("name", entry.serverName?.name)
        }
      }
      writer.field("hour", entry.hourBeganAt)
      writer.field("description", entry.description)
    }
  }

  static func csv(_ entries: [LedgerEntry]) -> ByteBuffer {
    var writer = CSVWriter([
      "id", "created_at", "reason", "amount", "balance", "server_id", "server_name", "hour", "description",
    ])
    for entry in entries {
      writer.row([
        .value(entry.id.value), .value(entry.createdAt.wireFormat), .value(entry.reason.rawValue),
        .value(entry.amount.exactDecimal), .value(entry.balance.exactDecimal),
        entry.serverID.map { .value($0.value) } ?? .none, .text(entry.serverName?.name ?? ""),
        .value(entry.hourBeganAt?.wireFormat ?? ""), .text(entry.description),
      ])
    }
    return writer.buffer
  }

  /// - Parameter links: Nil if all servers are on one page.
  static func statement(_ statement: MonthlyStatement, currency: String, links: PageLinks?) -> ByteBuffer {
    JSONWriter.object { writer in
      writer.field("month", statement.month.description)
      writer.field("currency", currency)
      writer.field("total", statement.total.exactDecimal)
      writer.field("servers", statement.servers.elements, cost)
      if let links {
        writer.field("count", statement.servers.totalCount)
        writer.field("next", links.next)
        writer.field("previous", links.previous)
      }
    }
  }

  private static func cost(_ writer: inout JSONWriter, _ cost: ServerCost) {
    writer.object { fields(of: cost, &$0) }
  }

  static func fields(of cost: ServerCost, _ writer: inout JSONWriter) {
    writer.field("id", cost.serverID.value)
    writer.field("name", cost.name.name)
    writer.field("plan", cost.plan)
    writer.field("hours", cost.hours)
    writer.field("amount", cost.amount.exactDecimal)
    writer.field("backups", cost.backups.exactDecimal)
    writer.field("traffic_gb", cost.trafficGB)
    writer.field("traffic", cost.traffic.exactDecimal)
    writer.field("deleted_at", cost.deletedAt)
  }

  static func csv(_ statement: MonthlyStatement, currency: String) -> ByteBuffer {
    var writer = CSVWriter([
      "month", "currency", "id", "name", "plan", "hours", "amount", "backups", "traffic_gb", "traffic", "deleted_at",
    ])
    for cost in statement.servers.elements {
      writer.row([
        .value(statement.month.description), .text(currency), .value(cost.serverID.value), .text(cost.name.name),
        .text(cost.plan), .value(cost.hours), .value(cost.amount.exactDecimal), .value(cost.backups.exactDecimal),
        .value(cost.trafficGB), .value(cost.traffic.exactDecimal), .value(cost.deletedAt?.wireFormat ?? ""),
      ])
    }
    return writer.buffer
  }
}
