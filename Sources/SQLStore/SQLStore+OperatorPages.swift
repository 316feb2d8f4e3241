package import Core

/// Pages of tables that may have hundreds of thousands of rows: a page after an element starts at its key, and skips no rows.
extension SQLStore {
  package func accountPage(
    _ filter: AccountFilter, order: [ListOrder<AccountKey>], page: PageRequest
  ) async throws -> Page<Account> {
    try await read { database in
      try database.page(
        page, of: "SELECT \(Account.columns) FROM account", in: "account", filter.selection, by: OrderClause(order))
    }
  }

  package func serverPage(
    _ filter: ServerListingFilter, order: [ListOrder<ServerKey>], page: PageRequest
  ) async throws -> Page<ServerListing> {
    try await read { database in
      let order = OrderClause(order)
      let servers = try database.page(page, of: filter.visibleSelection, by: order, isKept: order.isCommon)
      return try servers.map(database.listing)
    }
  }

  package func auditPage(
    _ filter: AuditFilter, isNewestFirst: Bool, page: PageRequest
  ) async throws -> Page<AuditEntry> {
    try await read { database in
      let (condition, arguments) = filter.selection
      func count(_ more: String, _ values: SQLArguments) throws -> Int {
        try database.value(Int.self, "SELECT COUNT(*) FROM audit WHERE \(condition)\(more)", arguments + values) ?? 0
      }
      let totalCount = try count("", [])
      var (position, values, skipped): (String, SQLArguments, Int?) = ("", [], nil)
      if case .after(let last, let isDescending) = page.number {
        (position, values) = (" AND id \(isDescending ? "<" : ">") ?", [last])
        skipped = try count(" AND id \(isDescending ? ">=" : "<=") ?", values)
      }
      let (number, range) = try page.resolve(totalCount: totalCount, skipping: skipped)
      let direction = isNewestFirst ? "DESC" : "ASC"
      let entries: [AuditEntry] = try database.all(
        AuditEntry.query(
          "SELECT * FROM audit WHERE \(condition)\(position) ORDER BY id \(direction) LIMIT ? OFFSET ?")
          + " \(direction)",
        arguments + values + [range.count, skipped == nil ? range.lowerBound : 0])
      return Page(entries, totalCount: totalCount, number: number, size: page.size, skipped: skipped)
    }
  }
}

extension SQLConnection {
  fileprivate func page<Value: RowReadable & Sendable>(
    _ request: PageRequest, of query: String, in table: String, _ selection: PageSelection, by order: OrderClause
  ) throws -> Page<Value> {
    let counting = "SELECT COUNT(*) FROM \(table) WHERE \(selection.condition)"
    guard case .after(let last, let isDescending) = request.number else {
      return try page(
        request, of: "\(query) WHERE \(selection.condition)", by: order, count: counting, selection.arguments)
    }
    let totalCount = try value(Int.self, counting, selection.arguments) ?? 0
    let skipped = try value(
      Int.self, "\(counting) AND \(order.id) \(isDescending ? ">=" : "<=") ?", selection.arguments + [last])
    let elements: [Value] = try all(
      selection.following(query, by: order, isDescending: isDescending), selection.arguments + [last, request.size])
    return Page(elements, totalCount: totalCount, number: 1, size: request.size, skipped: skipped ?? 0)
  }
}

extension AccountFilter {
  var selection: PageSelection {
    var selection = PageSelection()
    if let email { selection.add("email_key = lower(?)", email) }
    if let beginning = beginning?.lowercased() {
      selection.add("email_key >= ? AND email_key < ?", beginning, SQLStore.end(ofTextsBeginning: beginning))
    }
    switch state {
    case .open?:
      selection.add("closed_at IS NULL AND operator_suspended_at IS NULL AND credit_suspended_at IS NULL")
    case .suspended?:
      selection.add("closed_at IS NULL AND (operator_suspended_at IS NOT NULL OR credit_suspended_at IS NOT NULL)")
    case .closed?: selection.add("closed_at IS NOT NULL")
    case nil: break
    }
    return selection
  }
}

extension ServerListingFilter {
  /// Selects only servers that their customers see.
  var visibleSelection: PageSelection {
    var selection = PageSelection()
    selection.add("server.erased_at IS NULL AND server.deleted_at IS NULL")
    if let accountID { selection.add("server.account_id = ?", accountID) }
    if let status { selection.add("server.status = ?", status) }
    if let location { selection.add("server.location = ?", location) }
    if let hostID { selection.add("server.host_id = ?", hostID) }
    if let name { selection.add("lower(server.name) = lower(?)", name) }
    if let beginning = beginning?.lowercased() {
      selection.add(
        "lower(server.name) >= ? AND lower(server.name) < ?", beginning, SQLStore.end(ofTextsBeginning: beginning))
    }
    return selection
  }
}

extension AccountKey: OrderKey {
  var column: String {
    switch self {
    case .id: "id"
    case .email: "email_key"
    case .createdAt: "created_at"
    case .balance: "balance"
    }
  }
}
