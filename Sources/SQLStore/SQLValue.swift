/// What one column of a row holds, or what stands for one parameter of a statement.
enum SQLValue: Sendable, Equatable {
  case null
  case integer(Int64)
  case text(String)
  case blob([UInt8])
}

extension SQLValue: ColumnValue {
  var stored: SQLValue { self }
  init?(stored: SQLValue) { self = stored }
}

/// What stands for the parameters of a statement, in their order; nil is NULL.
typealias SQLArguments = [(any ColumnValue)?]
