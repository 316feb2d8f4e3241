/// The value of a column, or of a statement's parameter.
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

/// The values of a statement's parameters, in their order; nil is NULL.
typealias SQLArguments = [(any ColumnValue)?]
