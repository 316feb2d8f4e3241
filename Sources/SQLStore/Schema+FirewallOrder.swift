extension Schema {
  /// An index for waiting firewalls, so that those that were changed last come first.
  static let firewallOrder = """
    CREATE INDEX server_firewall_awaiting_newest ON server_firewall (updated_at, server_id)
      WHERE applied_revision < revision;
    """
}
