import Core

/// The SQL condition that selects the servers for a list. It is one text for all filters except labels.
enum ServerSelection {
  private static let condition = """
    server.account_id = ?1 AND server.deleted_at IS NULL AND (CAST(?2 AS TEXT) IS NULL OR server.status = ?2)
      AND (CAST(?3 AS TEXT) IS NULL OR server.location = ?3) AND (CAST(?4 AS TEXT) IS NULL OR lower(server.name) = lower(?4))
      AND (CAST(?5 AS TEXT) IS NULL OR lower(server.hostname) = lower(?5))
      AND (CAST(?6 AS TEXT) IS NULL OR lower(server.name) LIKE ?6 ESCAPE '!' OR lower(server.hostname) LIKE ?6 ESCAPE '!')
    """

  /// `isCommon` is false with labels: there may be any number of such statements, so they do not stay prepared.
  static func selection(
    _ filter: ServerFilter, of account: ID<Account>
  ) -> (condition: String, arguments: SQLArguments, isCommon: Bool) {
    let arguments: SQLArguments = [
      account, filter.status, filter.location, filter.name, filter.hostname, filter.text.map(pattern),
    ]
    guard let labels = filter.labels else { return (condition, arguments, true) }
    let (sql, more) = labels.condition
    return (condition + sql, arguments + more, false)
  }

  private static func pattern(of part: String) -> String {
    "%" + part.lowercased().reduce(into: "") { $0 += "!%_".contains($1) ? "!\($1)" : "\($1)" } + "%"
  }
}
