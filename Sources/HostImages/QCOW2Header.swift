import Core
import Foundation
import PrivateFiles

/// The header of a qcow2 file. Reading it blocks.
package struct QCOW2Header: Equatable {
  /// The size of the disk that a guest sees.
  package let virtualSizeBytes: Int64
  /// The file under an overlay; nil for a standalone image.
  package let backingFile: String?
  /// Whether the guest's data is in another file.
  let hasExternalData: Bool
  let isEncrypted: Bool

  /// Whether the whole disk is in this file and nowhere else. A header may name any file of the host as a part of the disk.
  package var isStandalone: Bool { backingFile == nil && !hasExternalData && !isEncrypted }

  static let magic: [UInt8] = [0x51, 0x46, 0x49, 0xFB]

  package init(path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw HostError.last("open \(path)") }
    defer { close(descriptor) }
    guard let header = Self(descriptor: descriptor) else {
      throw DriverError(.rejected, "\(path) is not a qcow2 image")
    }
    self = header
  }

  /// Nil where the file is no qcow2 image of version 2 or 3.
  init?(descriptor: Int32) {
    let header = Self.read(descriptor, at: 0, count: 80)
    guard header.count >= 72, header.starts(with: Self.magic) else { return nil }
    func number(_ range: Range<Int>) -> UInt64 { header[range].reduce(0) { $0 << 8 | UInt64($1) } }
    let version = number(4..<8)
    guard version == 2 || (version == 3 && header.count == 80) else { return nil }
    virtualSizeBytes = Int64(clamping: number(24..<32))
    isEncrypted = number(32..<36) != 0
    hasExternalData = version == 3 && number(72..<80) & 0b100 != 0
    let (offset, length) = (number(8..<16), number(16..<20))
    if offset == 0 {
      backingFile = nil
    } else {
      // The format allows no longer name.
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
