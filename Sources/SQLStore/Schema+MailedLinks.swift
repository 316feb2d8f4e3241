extension Schema {
  /// Links that were asked for by somebody who says that they forgot their password. They are worth less than the operator's own.
  static let mailedLinks = """
    ALTER TABLE login_link ADD COLUMN is_mailed INTEGER NOT NULL DEFAULT 0 CHECK (is_mailed IN (0, 1));
    """
}
