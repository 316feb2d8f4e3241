/// The address of a network card, 48 bits: `56:0a:1b:2c:3d:4e`.
package struct HardwareAddress: Hashable, Sendable, CustomStringConvertible {
  package let number: UInt64

  package init(number: UInt64) {
    self.number = number & 0xFFFF_FFFF_FFFF
  }

  /// Reads `56:0a:1b:2c:3d:4e`; nil for anything else.
  package init?(_ text: String) {
    let parts = text.isPlain(atMost: 17) ? text.split(separator: ":", omittingEmptySubsequences: false) : []
    let bytes = parts.compactMap { $0.utf8.count == 2 ? UInt8($0, radix: 16) : nil }
    guard parts.count == 6, bytes.count == 6 else { return nil }
    self.init(number: bytes.reduce(0) { $0 << 8 | UInt64($1) })
  }

  /// A random address of the locally administered unicast space. It begins with `56`, so that it differs from those of
  /// machines from before hardware addresses were stored, which begin with `52`. The last 40 bits are random, so that
  /// installations on one network differ.
  package static func random() -> HardwareAddress {
    HardwareAddress(number: 0x56 << 40 | UInt64.random(in: 0..<1 << 40))
  }

  package var description: String {
    let digits = String(number, radix: 16)
    let padded = Array(String(repeating: "0", count: 12 - digits.count) + digits)
    return stride(from: 0, to: 12, by: 2).map { String(padded[$0...$0 + 1]) }.joined(separator: ":")
  }
}
