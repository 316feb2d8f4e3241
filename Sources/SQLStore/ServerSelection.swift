import Core

/// Which servers of an account a list shows, as a condition of SQL: one for all filters.
enum ServerSelection {
  static let condition = """
    server.account_id = ?1 AND server.deleted_at IS NULL AND (?2 IS NULL OR server.status = ?2)
      AND (?3 IS NULL OR server.location = ?3) AND (?4 IS NULL OR lower(server.name) = lower(?4))
      AND (?5 IS NULL OR lower(server.hostname) = lower(?5))
      AND (?6 IS NULL OR lower(server.name) LIKE ?6 ESCAPE '!' OR lower(server.hostname) LIKE ?6 ESCAPE '!')
    """

  static func arguments(
    _ filter: ServerFilter, of account: ID<Account>
  ) -> SQLArguments {
    [account, filter.status, filter.location, filter.name, filter.hostname, filter.text.map(pattern)]
  }

  private static func pattern(of part: String) -> String {
    "%" + part.lowercased().reduce(into: "") { $0 += "!%_".contains($1) ? "!\($1)" : "\($1)" } + "%"
  }
}
