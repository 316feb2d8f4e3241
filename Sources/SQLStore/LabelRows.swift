import Core

extension Labels {
  /// All of them in one column, so that a list of servers is read in one go; to be read by `RowReader.labels`. Neither keys
  /// nor values have a space or an equals sign in them.
  static let column = """
    (SELECT group_concat(key || '=' || value, ' ') FROM server_label WHERE server_label.server_id = server.id)
    """
}

extension RowReader {
  mutating func labels() throws -> Labels {
    var values: [LabelKey: LabelValue] = [:]
    for text in (try next(String?.self) ?? "").split(separator: " ") {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, let key = LabelKey(String(parts[0])), let value = LabelValue(String(parts[1])) else {
        throw Failure.internalError("there is a label that is none")
      }
      values[key] = value
    }
    return Labels(values)
  }
}

extension SQLConnection {
  func setLabels(_ labels: Labels, of server: ID<Server>, _ account: ID<Account>) throws {
    try run("DELETE FROM server_label WHERE server_id = ?", [server])
    for (key, value) in labels.sorted {
      try run(
        "INSERT INTO server_label (server_id, account_id, key, value) VALUES (?, ?, ?, ?)",
        [server, account, key.text, value.text])
    }
  }
}

extension PageSelection {
  /// Only servers with these labels. The account is the selection's first argument. Each term uses the index of the account's
  /// labels.
  mutating func add(_ labels: LabelSelector) {
    for term in labels.terms {
      let (isWanted, key, values): (Bool, LabelKey, [LabelValue]) =
        switch term {
        case .has(let key): (true, key, [])
        case .lacks(let key): (false, key, [])
        case .isOneOf(let key, let values): (true, key, values)
        case .isNoneOf(let key, let values): (false, key, values)
        }
      let marks = values.map { _ in "?" }.joined(separator: ", ")
      add(
        """
        server.id \(isWanted ? "IN" : "NOT IN") (SELECT server_id FROM server_label WHERE account_id = ?1
        AND key = ?\(values.isEmpty ? "" : " AND value IN (\(marks))"))
        """, SQLArguments([key.text] + values.map(\.text)))
    }
  }
}
