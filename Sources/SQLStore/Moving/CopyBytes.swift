/// Rows in the binary form of PostgreSQL's COPY.
struct CopyBytes {
  /// From this size on the bytes are sent.
  private static let fullCount = 1 << 16

  /// Begins with the header before the first row: the signature, no flags and no extension.
  private(set) var bytes: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0] + Array(repeating: 0, count: 8)

  var isFull: Bool { bytes.count >= Self.fullCount }

  mutating func append(_ row: [SQLValue]) {
    append(Int16(row.count))
    for value in row {
      switch value {
      case .null: append(Int32(-1))
      case .integer(let number):
        append(Int32(8))
        append(number)
      case .text(let text): append(Array(text.utf8))
      case .blob(let blob): append(blob)
      }
    }
  }

  /// Marks the end, after the last row.
  mutating func end() { append(Int16(-1)) }

  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  private mutating func append(_ field: [UInt8]) {
    append(Int32(field.count))
    bytes += field
  }

  private mutating func append(_ number: some FixedWidthInteger) {
    withUnsafeBytes(of: number.bigEndian) { bytes += $0 }
  }
}
