import Core
import Foundation

extension ServerFirewall: RowReadable {
  static let columns = """
    server.id, server.uuid, server.host_id, COALESCE(firewall.is_enabled, 0), COALESCE(firewall.rules, '[]'), \
    (SELECT may_mail FROM account WHERE account.id = server.account_id), \
    (SELECT port_speed_mbit FROM plan WHERE plan.id = server.plan_id), \
    (SELECT speed_mbit FROM server_throttle AS throttle WHERE throttle.server_id = server.id), COALESCE(firewall.revision, 0), COALESCE(firewall.applied_revision, 0), \
    COALESCE(firewall.updated_at, server.created_at)
    """

  static let query =
    "SELECT \(columns) FROM server LEFT JOIN server_firewall AS firewall ON firewall.server_id = server.id"

  init(from row: inout RowReader) throws {
    self.init(
      serverID: try row.next(), machine: try row.next(), hostID: try row.next(),
      firewall: Firewall(isEnabled: try row.next(), rules: try row.next(StoredRules.self).rules()),
      mayMail: try row.next(), portSpeedMbit: try row.next(), throttleMbit: try row.next(),
      revision: try row.next(), appliedRevision: try row.next(), updatedAt: try row.next())
  }
}

/// The rules of a firewall in one column.
struct StoredRules: ColumnValue {
  private let text: String

  init(_ rules: [FirewallRule]) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    text = String(decoding: try encoder.encode(rules), as: UTF8.self)
  }

  var stored: SQLValue { text.stored }

  init?(stored: SQLValue) {
    guard let text = String(stored: stored) else { return nil }
    self.text = text
  }

  /// Throws where the text was changed by hand and holds no rules, so that it lets nobody in.
  func rules() throws -> [FirewallRule] {
    try JSONDecoder().decode([FirewallRule].self, from: Data(text.utf8))
  }
}
