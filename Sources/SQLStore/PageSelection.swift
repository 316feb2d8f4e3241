import Core

/// The rows that a page is taken from: conditions that all hold, and their arguments. Each combination of conditions is a text
/// of its own, so that each uses an index.
struct PageSelection {
  private(set) var condition = "1 = 1"
  private(set) var arguments: SQLArguments = []

  /// The query for the rows after an element. The element's id and the limit are further arguments.
  func following(_ query: String, by order: OrderClause, isDescending: Bool) -> String {
    "\(query) WHERE \(condition) AND \(order.id) \(isDescending ? "<" : ">") ? ORDER BY \(order.sql) LIMIT ?"
  }

  mutating func add(_ condition: String, _ values: any ColumnValue...) {
    add(condition, SQLArguments(values))
  }

  mutating func add(_ condition: String, _ arguments: SQLArguments) {
    self.condition += " AND \(condition)"
    self.arguments += arguments
  }
}
