import Core
import Foundation
import PrivateFiles

/// What the first bytes of a qcow2 file tell. Reading them blocks.
struct QCOW2Header: Equatable {
  /// What a guest sees.
  let virtualSizeBytes: Int64
  /// The file under an overlay; nil for an image that stands alone.
  let backingFile: String?

  init(path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw HostError.last("open \(path)") }
    defer { close(descriptor) }
    let header = Self.read(descriptor, at: 0, count: 32)
    guard header.count == 32, header.starts(with: [0x51, 0x46, 0x49, 0xFB]) else {
      throw DriverError(.rejected, "\(path) is not a qcow2 image")
    }
    func number(_ range: Range<Int>) -> UInt64 { header[range].reduce(0) { $0 << 8 | UInt64($1) } }
    virtualSizeBytes = Int64(clamping: number(24..<32))
    let (offset, length) = (number(8..<16), number(16..<20))
    if offset == 0 {
      backingFile = nil
    } else {
      // The format knows no name that is longer.
      let name = Self.read(descriptor, at: off_t(clamping: offset), count: Int(min(length, 1023)))
      backingFile = String(decoding: name, as: UTF8.self)
    }
  }

  private static func read(_ descriptor: Int32, at offset: off_t, count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let result = pread(descriptor, &bytes, count, offset)
    return Array(bytes.prefix(max(0, result)))
  }
}
