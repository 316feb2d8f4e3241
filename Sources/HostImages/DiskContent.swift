/// What the beginning of a disk shows: whether it has a partition table or a file system, and whether the disk is long enough
/// for it.
struct DiskContent {
  /// Enough for everything that is examined here.
  static let headBytes = 128 << 10

  private static let sector = 512

  private let head: [UInt8]
  private let diskBytes: Int64

  init(head: [UInt8], diskBytes: Int64) {
    self.head = head
    self.diskBytes = diskBytes
  }

  /// Why a machine cannot boot from the disk; nil where it can.
  var violation: String? {
    // A disk with a GPT also has an MBR, so the GPT is examined first.
    if let end = endOfGPT ?? endOfPartitions ?? endOfFileSystem {
      return end > diskBytes ? "It is cut off: what is on it ends at byte \(end), and it at byte \(diskBytes)." : nil
    }
    return "There is neither a partition table nor a file system on it."
  }

  private var endOfGPT: Int64? {
    guard has("EFI PART", at: Self.sector) else { return nil }
    // The backup of the GPT is in the last sector.
    return bytes(after: little(at: Self.sector + 32, count: 8))
  }

  private var endOfPartitions: Int64? {
    guard little(at: 510, count: 2) == 0xAA55 else { return nil }
    var end: Int64?
    for entry in stride(from: 446, to: 510, by: 16) where little(at: entry + 4, count: 1) != 0 {
      guard [0, 0x80].contains(little(at: entry, count: 1)) else { return nil }
      let (start, count) = (little(at: entry + 8, count: 4), little(at: entry + 12, count: 4))
      guard start > 0, count > 0 else { return nil }
      end = max(end ?? 0, bytes(after: start + count - 1))
    }
    return end
  }

  private var endOfFileSystem: Int64? {
    if little(at: 0x438, count: 2) == 0xEF53 {
      let blockBytes = Int64(1024) << Int64(min(6, little(at: 0x418, count: 4)))
      return product(little(at: 0x404, count: 4), UInt64(blockBytes))
    }
    if has("XFSB", at: 0) { return product(big(at: 8, count: 8), big(at: 4, count: 4)) }
    if has("_BHRfS_M", at: 0x10040) { return Int64(clamping: little(at: 0x10070, count: 8)) }
    // FAT and NTFS store their size in several ways, so their presence is enough.
    if little(at: 510, count: 2) == 0xAA55, has("FAT", at: 54) || has("FAT32", at: 82) || has("NTFS", at: 3) {
      return 0
    }
    return nil
  }

  private func bytes(after sector: UInt64) -> Int64 {
    sector == .max ? .max : product(sector + 1, UInt64(Self.sector))
  }

  private func product(_ first: UInt64, _ second: UInt64) -> Int64 {
    let (product, overflows) = first.multipliedReportingOverflow(by: second)
    return overflows ? .max : Int64(clamping: product)
  }

  private func has(_ text: String, at offset: Int) -> Bool {
    offset + text.utf8.count <= head.count && head[offset...].starts(with: text.utf8)
  }

  private func little(at offset: Int, count: Int) -> UInt64 {
    guard offset + count <= head.count else { return 0 }
    return head[offset..<offset + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private func big(at offset: Int, count: Int) -> UInt64 {
    guard offset + count <= head.count else { return 0 }
    return head[offset..<offset + count].reduce(0) { $0 << 8 | UInt64($1) }
  }
}
