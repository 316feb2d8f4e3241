package import Foundation

extension UUID {
  /// A random one, of version 4, like that of `UUID()`, which on Linux opens /dev/urandom each time.
  package static func random() -> UUID {
    var generator = SystemRandomNumberGenerator()
    let first: UInt64 = generator.next() & ~0xF000 | 0x4000
    let last: UInt64 = generator.next() & ~(0xC0 << 56) | 0x80 << 56
    return withUnsafeBytes(of: (first.bigEndian, last.bigEndian)) { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
  }
}
