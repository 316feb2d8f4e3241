extension Schema {
  /// The name of the login account in images that others publish.
  static let usernames = """
    ALTER TABLE operating_system ADD COLUMN username TEXT NOT NULL DEFAULT 'root';
    """
}
