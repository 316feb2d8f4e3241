import CPostgreSQL

/// The result of one statement, freed with this object.
final class PostgreSQLResult {
  let pointer: OpaquePointer

  init(_ pointer: OpaquePointer) {
    self.pointer = pointer
  }

  deinit { PQclear(pointer) }

  var status: ExecStatusType { PQresultStatus(pointer) }
  var rowCount: Int { Int(PQntuples(pointer)) }
  var changedCount: Int { Int(String(cString: PQcmdTuples(pointer))) ?? 0 }
  /// The name of the command that was carried out.
  var command: String { String(cString: PQcmdStatus(pointer)) }
}

/// One row of a result in PostgreSQL's binary form.
struct PostgreSQLRow: SQLRow {
  let result: PostgreSQLResult
  let number: CInt

  func value(at index: Int) -> SQLValue? {
    let column = CInt(index)
    guard column < PQnfields(result.pointer) else { return nil }
    if PQgetisnull(result.pointer, number, column) == 1 { return .null }
    let bytes = UnsafeRawBufferPointer(
      start: PQgetvalue(result.pointer, number, column),
      count: Int(PQgetlength(result.pointer, number, column)))
    return switch PQftype(result.pointer, column) {
    case OID.bigint, OID.integer, OID.smallint: .integer(Self.integer(bytes))
    case OID.boolean: .integer(bytes[0] == 0 ? 0 : 1)
    case OID.text, OID.varchar, OID.name: .text(String(decoding: bytes, as: UTF8.self))
    case OID.bytes: .blob([UInt8](bytes))
    case OID.numeric: Self.wholeNumber(bytes).map { .integer($0) }
    default: nil
    }
  }

  func name(at index: Int) -> String {
    PQfname(result.pointer, CInt(index)).map { String(cString: $0) } ?? "\(index)"
  }

  /// The types of the columns of our tables, and of expressions on them.
  private enum OID {
    static let boolean: Oid = 16
    static let bytes: Oid = 17
    static let name: Oid = 19
    static let bigint: Oid = 20
    static let smallint: Oid = 21
    static let integer: Oid = 23
    static let text: Oid = 25
    static let varchar: Oid = 1043
    static let numeric: Oid = 1700
  }

  /// Two, four or eight bytes in big-endian order.
  private static func integer(_ bytes: some Collection<UInt8>) -> Int64 {
    var number: Int64 = bytes.first.map { $0 >= 0x80 } ?? false ? -1 : 0
    for byte in bytes { number = number << 8 | Int64(byte) }
    return number
  }

  /// A sum is a `numeric`, whose digits have the base 10,000. Nil for a number with a fraction, or one that does not fit into
  /// an `Int64`.
  private static func wholeNumber(_ bytes: UnsafeRawBufferPointer) -> Int64? {
    guard bytes.count >= 8 else { return nil }
    let words = stride(from: 0, to: bytes.count - 1, by: 2).map { Self.integer(bytes[$0..<$0 + 2]) }
    let (weight, sign, digits) = (words[1], words[2], words.dropFirst(4))
    guard sign == 0 || sign == 0x4000, digits.count <= Int(weight) + 1, weight < 5 else { return nil }
    // Counts downwards, because there is one more number below zero than above.
    var number: Int64 = 0
    for place in 0...max(Int(weight), 0) where weight >= 0 {
      let digit = place < digits.count ? digits[digits.startIndex + place] : 0
      let (product, isTooLarge) = number.multipliedReportingOverflow(by: 10_000)
      let (sum, isBeyond) = product.subtractingReportingOverflow(digit)
      if isTooLarge || isBeyond { return nil }
      number = sum
    }
    if sign == 0x4000 { return number }
    return number == .min ? nil : -number
  }
}
