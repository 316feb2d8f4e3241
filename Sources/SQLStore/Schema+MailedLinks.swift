extension Schema {
  /// Links that were mailed to somebody who forgot a password. They allow less than the operator's own links.
  static let mailedLinks = """
    ALTER TABLE login_link ADD COLUMN is_mailed INTEGER NOT NULL DEFAULT 0 CHECK (is_mailed IN (0, 1));
    """
}
