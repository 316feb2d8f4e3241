import Core

/// By what rows can be ordered. Each key is one expression of SQL, so that no request can add to the statements that there
/// are.
protocol OrderKey: Hashable, Sendable, CaseIterable {
  /// Distinct for each row: what comes after it decides nothing.
  static var id: Self { get }
  var column: String { get }
  /// Whether there are rows without it. They come first, and last where the greatest do.
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
  /// By one key only: there are so few of its kind that their statements can be kept.
  let isCommon: Bool
  /// The column of the id.
  let id: String

  init<Key: OrderKey>(_ order: [ListOrder<Key>]) {
    var terms: [ListOrder<Key>] = []
    for term in order + [ListOrder(Key.id)] where !terms.contains(where: { $0.key == term.key || $0.key == Key.id }) {
      terms.append(term)
    }
    id = Key.id.column
    sql = terms.map { "\($0.key.column) \($0.isDescending ? "DESC" : "ASC")\($0.key.nulls($0.isDescending))" }
      .joined(separator: ", ")
    isCommon = terms.count == 1 || terms.dropFirst() == [ListOrder(Key.id)]
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
