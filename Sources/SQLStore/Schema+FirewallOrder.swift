extension Schema {
  /// Whose customers have changed them last come first.
  static let firewallOrder = """
    CREATE INDEX server_firewall_awaiting_newest ON server_firewall (updated_at, server_id)
      WHERE applied_revision < revision;
    """
}
