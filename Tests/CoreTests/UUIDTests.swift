import Core
import Foundation
import Testing

@Suite("UUIDs")
struct UUIDTests {
  @Test("A random one is of version 4, in the form that others read, and never one that was there before")
  func random() throws {
    var all: Set<UUID> = []
    for _ in 1...1000 {
      let uuid = UUID.random()
      #expect(uuid.text.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
      #expect(UUID(uuidString: uuid.text) == uuid)
      all.insert(uuid)
    }
    #expect(all.count == 1000)
    // Each of the other bits is set in some and not in others.
    var (any, every) = ([UInt8](repeating: 0, count: 16), [UInt8](repeating: 255, count: 16))
    for uuid in all {
      withUnsafeBytes(of: uuid.uuid) { bytes in
        for (index, byte) in bytes.enumerated() {
          (any[index], every[index]) = (any[index] | byte, every[index] & byte)
        }
      }
    }
    for index in 0..<16 {
      let fixed: (ones: UInt8, zeros: UInt8) = index == 6 ? (0x40, 0xB0) : index == 8 ? (0x80, 0x40) : (0, 0)
      #expect(any[index] == ~fixed.zeros && every[index] == fixed.ones)
    }
  }
}
