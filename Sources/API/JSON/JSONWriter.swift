package import Core
import Foundation
package import NIOCore

/// Writes JSON field by field into one buffer: the order of the fields is part of the API, and nulls are present.
package struct JSONWriter {
  private var bytes: [UInt8] = []
  private var needsComma = false

  package init() {
    bytes.reserveCapacity(1024)
  }

  package var buffer: ByteBuffer { ByteBuffer(bytes: bytes) }

  package static func object(_ body: (inout JSONWriter) -> Void) -> ByteBuffer {
    var writer = JSONWriter()
    writer.object(body)
    return writer.buffer
  }

  // MARK: Values

  package mutating func object(_ body: (inout JSONWriter) -> Void) {
    nest("{", "}", body)
  }

  package mutating func array<Element>(_ elements: [Element], _ write: (inout JSONWriter, Element) -> Void) {
    nest("[", "]") { writer in
      for element in elements { write(&writer, element) }
    }
  }

  package mutating func value(_ text: String) {
    separate()
    writeQuoted(text)
  }

  package mutating func value(_ number: some BinaryInteger) { literal(String(number)) }
  package mutating func value(_ flag: Bool) { literal(flag ? "true" : "false") }
  package mutating func value(_ amount: Money) { literal(amount.decimal) }
  package mutating func value(_ time: Timestamp) { literal("\"\(time.wireFormat)\"") }
  /// Writes 235 tenths as `23.5`.
  package mutating func value(tenths: Int64) { literal("\(tenths / 10).\(tenths % 10)") }
  package mutating func null() { literal("null") }
  /// A number that is formatted already.
  package mutating func value(number: String) { literal(number) }

  // MARK: Fields

  package mutating func field(_ name: StaticString, _ text: String?) {
    key(name)
    if let text { value(text) } else { null() }
  }

  package mutating func field(_ name: StaticString, _ number: some BinaryInteger) {
    key(name)
    value(number)
  }

  package mutating func field(_ name: StaticString, _ number: Int64?) {
    key(name)
    if let number { value(number) } else { null() }
  }

  package mutating func field(_ name: StaticString, _ flag: Bool) {
    key(name)
    value(flag)
  }

  package mutating func field(_ name: StaticString, _ amount: Money) {
    key(name)
    value(amount)
  }

  package mutating func field(_ name: StaticString, _ time: Timestamp?) {
    key(name)
    if let time { value(time) } else { null() }
  }

  /// A number with one decimal place: 235 tenths are `23.5`.
  package mutating func field(_ name: StaticString, tenths: Int) {
    key(name)
    literal("\(tenths / 10).\(tenths % 10)")
  }

  /// A number with as many decimal places as needed, at most three: 500 thousandths are `0.5`.
  package mutating func field(_ name: StaticString, thousandths: Int) {
    key(name)
    var fraction = String(1000 + thousandths % 1000).dropFirst()
    while fraction.last == "0" { fraction.removeLast() }
    literal(fraction.isEmpty ? "\(thousandths / 1000)" : "\(thousandths / 1000).\(fraction)")
  }

  package mutating func field(_ name: StaticString, _ body: (inout JSONWriter) -> Void) {
    key(name)
    object(body)
  }

  package mutating func field<Element>(
    _ name: StaticString, _ elements: [Element], _ write: (inout JSONWriter, Element) -> Void
  ) {
    key(name)
    array(elements, write)
  }

  /// A field whose name comes from data.
  package mutating func field(named name: String, _ write: (inout JSONWriter) -> Void) {
    separate()
    writeQuoted(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
    write(&self)
  }

  package mutating func field(named name: String, _ texts: [String]) {
    field(named: name) { writer in writer.array(texts) { $0.value($1) } }
  }

  // MARK: Pieces

  private mutating func write(_ text: some StringProtocol) { bytes.append(contentsOf: text.utf8) }

  private mutating func key(_ name: StaticString) {
    separate()
    bytes.append(UInt8(ascii: "\""))
    name.withUTF8Buffer { bytes.append(contentsOf: $0) }
    bytes.append(UInt8(ascii: "\""))
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  private mutating func nest(_ open: Unicode.Scalar, _ close: Unicode.Scalar, _ body: (inout JSONWriter) -> Void) {
    separate()
    bytes.append(UInt8(ascii: open))
    needsComma = false
    body(&self)
    bytes.append(UInt8(ascii: close))
    needsComma = true
  }

  private mutating func literal(_ text: String) {
    separate()
    write(text)
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }

  private mutating func writeQuoted(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    if text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
      write(text)
    } else {
      for scalar in text.unicodeScalars { writeEscaped(scalar) }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func writeEscaped(_ scalar: Unicode.Scalar) {
    switch scalar {
    case "\"": write("\\\"")
    case "\\": write("\\\\")
    case "\n": write("\\n")
    case "\r": write("\\r")
    case "\t": write("\\t")
    // The same text to a program, but harmless if a reply is shown on a terminal.
    case _ where scalar.isControl:
      let hexadecimal = String(scalar.value, radix: 16)
      write("\\u" + String(repeating: "0", count: 4 - hexadecimal.count) + hexadecimal)
    default: write(String(scalar))
    }
  }
}
