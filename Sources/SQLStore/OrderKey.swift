import Core

/// A key by which rows can be ordered. Each key is a fixed SQL expression, so that no request brings SQL of its own.
protocol OrderKey: Hashable, Sendable, CaseIterable {
  /// Unique for each row, so that keys after it have no effect.
  static var id: Self { get }
  var column: String { get }
  /// Whether rows may lack it. Those come first, or last in descending order.
  var mayBeMissing: Bool { get }
}

extension OrderKey {
  var mayBeMissing: Bool { false }

  fileprivate func nulls(_ isDescending: Bool) -> String {
    mayBeMissing ? " NULLS \(isDescending ? "LAST" : "FIRST")" : ""
  }
}

/// What follows ORDER BY.
struct OrderClause: Sendable {
  let sql: String
  /// Whether it orders by one key only. There are so few of these that their statements stay prepared.
  let isCommon: Bool
  /// The column of the id.
  let id: String
  /// Nil if other keys come before the id.
  let isDescendingByID: Bool?

  /// Rows that are alike come in the order of their ids, in the direction of the last key, so that an index can be read
  /// backwards.
  init<Key: OrderKey>(_ order: [ListOrder<Key>]) {
    var terms: [ListOrder<Key>] = []
    let ids = ListOrder(Key.id, isDescending: order.last?.isDescending ?? false)
    for term in order + [ids] where !terms.contains(where: { $0.key == term.key || $0.key == Key.id }) {
      terms.append(term)
    }
    id = Key.id.column
    isDescendingByID = terms.first?.key == Key.id ? terms.first?.isDescending : nil
    sql = terms.map { "\($0.key.column) \($0.isDescending ? "DESC" : "ASC")\($0.key.nulls($0.isDescending))" }
      .joined(separator: ", ")
    isCommon = terms.dropFirst().allSatisfy { $0 == ListOrder(Key.id, isDescending: terms[0].isDescending) }
  }
}

extension ServerKey: OrderKey {
  var column: String {
    switch self {
    case .id: "server.id"
    case .name: "lower(server.name)"
    case .hostname: "lower(server.hostname)"
    case .status: "server.status"
    case .createdAt: "server.created_at"
    case .updatedAt: "server.updated_at"
    }
  }
}

extension DiskCopyKey: OrderKey {
  var column: String {
    switch self {
    case .id: "disk_copy.id"
    case .name: "lower(disk_copy.name)"
    case .status: "disk_copy.status"
    case .size: "disk_copy.size_bytes"
    case .createdAt: "disk_copy.created_at"
    }
  }

  var mayBeMissing: Bool { self == .name || self == .size }
}

extension TokenKey: OrderKey {
  var column: String {
    switch self {
    case .id: "id"
    case .name: "name"
    case .createdAt: "created_at"
    }
  }
}

extension SSHKeyKey: OrderKey {
  var column: String {
    switch self {
    case .id: "id"
    case .name: "name"
    case .createdAt: "created_at"
    }
  }
}
