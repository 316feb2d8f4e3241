extension Schema {
  /// What the account is called that keys and passwords are for, in systems that others publish.
  static let usernames = """
    ALTER TABLE operating_system ADD COLUMN username TEXT NOT NULL DEFAULT 'root';
    """
}
