import Core

extension ServerFilter {
  /// What a customer sees. The account is the first argument.
  func selection(of account: ID<Account>) -> PageSelection {
    var selection = PageSelection()
    selection.add("server.account_id = ?1 AND server.deleted_at IS NULL", account)
    if let status { selection.add("server.status = ?", status) }
    if let location { selection.add("server.location = ?", location) }
    if let name { selection.add("lower(server.name) = lower(?)", name) }
    if let hostname { selection.add("lower(server.hostname) = lower(?)", hostname) }
    if let pattern = text.map(Self.pattern) {
      selection.add(
        "(lower(server.name) LIKE ? ESCAPE '!' OR lower(server.hostname) LIKE ? ESCAPE '!')", pattern, pattern)
    }
    if let labels { selection.add(labels) }
    return selection
  }

  private static func pattern(of part: String) -> String {
    "%" + part.lowercased().reduce(into: "") { $0 += "!%_".contains($1) ? "!\($1)" : "\($1)" } + "%"
  }
}

extension SQLConnection {
  /// A page of servers. Their ids are looked for first, so that no more is read of the servers before the page than their order
  /// needs.
  ///
  /// - Parameter blocks: Those of all servers that are selected, if they are known: then the servers need not be counted.
  func page(
    _ request: PageRequest, of selection: PageSelection, by order: OrderClause, blocks: ServerBlocks? = nil,
    isKept: Bool
  ) throws -> Page<Server> {
    let totalCount = try blocks?.serverCount ?? count(selection, isKept: isKept)
    var (rest, offset, skipped): (PageSelection, Int?, Int?) = (selection, nil, nil)
    if case .after(let last, let isDescending) = request.number {
      skipped = try count(selection, through: last, isDescending: isDescending, blocks, isKept: isKept)
      rest.add("server.id \(isDescending ? "<" : ">") ?", last)
      offset = 0
    }
    let (number, range) = try request.resolve(totalCount: totalCount, skipping: skipped)
    if let blocks, let isDescending = order.isDescendingByID, skipped == nil {
      let position = blocks.position(of: range.lowerBound, isDescending: isDescending)
      rest.add("server.id \(isDescending ? "<=" : ">=") ?", position.bound)
      offset = position.skipped
    }
    let ids = "SELECT server.id FROM server WHERE \(rest.condition) ORDER BY \(order.sql) LIMIT ? OFFSET ?"
    let elements = try rows(
      "\(Server.query) WHERE server.id IN (\(ids)) ORDER BY \(order.sql)",
      rest.arguments + [range.count, offset ?? range.lowerBound], isKept: isKept
    ) { row in try Server(from: &row) }
    return Page(elements, totalCount: totalCount, number: number, size: request.size, skipped: skipped)
  }

  private func count(_ selection: PageSelection, isKept: Bool) throws -> Int {
    let query = "SELECT COUNT(*) FROM server WHERE \(selection.condition)"
    return try rows(query, selection.arguments, isKept: isKept) { row in try row.next(Int.self) }.first ?? 0
  }

  /// The servers up to the one with this id, in the order of ids.
  private func count(
    _ selection: PageSelection, through last: Int64, isDescending: Bool, _ blocks: ServerBlocks?, isKept: Bool
  ) throws -> Int {
    let earlier = blocks?.before(last, isDescending: isDescending)
    let ids = earlier?.ids ?? (isDescending ? last...Int64.max : 0...last)
    var selection = selection
    selection.add("server.id BETWEEN ? AND ?", ids.lowerBound, ids.upperBound)
    return (earlier?.serverCount ?? 0) + (try count(selection, isKept: isKept))
  }
}
