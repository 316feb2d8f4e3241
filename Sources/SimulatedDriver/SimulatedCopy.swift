import Core
package import Foundation

/// A copy of a simulated machine's disk. A process that dies while it copies leaves one that is not whole.
package struct SimulatedCopy: SimulatedRecord {
  package let uuid: UUID
  package let machine: UUID
  let installation: UUID
  /// The disk as it was when the copy was begun.
  package internal(set) var disk: SimulatedMachine.Disk
  let sizeBytes: Int64
  /// The checksum of the disk as it was copied.
  package let checksum: String
  package internal(set) var isWhole = false

  init(_ uuid: UUID, of machine: UUID, installation: UUID, disk: SimulatedMachine.Disk, sizeBytes: Int64) {
    self.uuid = uuid
    self.machine = machine
    self.installation = installation
    self.disk = disk
    self.sizeBytes = sizeBytes
    checksum = Self.checksum(of: disk)
  }

  var isDamaged: Bool { Self.checksum(of: disk) != checksum }

  /// Computed from the disk's contents, in the form of a SHA-256.
  private static func checksum(of disk: SimulatedMachine.Disk) -> String {
    let text = "\(disk.imageName)\0\(disk.imageVersion)\0\(disk.createdAtMilliseconds)\0\(disk.content ?? "")"
    return (0..<4).map { part in
      let digits = String(StableHash.of("\(part)\0\(text)"), radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  var copiedDisk: CopiedDisk { CopiedDisk(sizeBytes: sizeBytes, checksum: checksum) }
}

/// Work on a disk that takes its time. It is in memory only, and ends with the process.
struct SimulatedDiskWork: Sendable, Equatable {
  let copy: UUID
  let begunAt: Instant
  /// When the machine's power was switched on; nil for a machine that is off. If that changes, the work is given up.
  let poweredOnAtMilliseconds: Int64?
  /// Whether a restore has replaced the disk, which nobody has been told yet.
  var isDone = false

  func isOver(at now: Instant, _ duration: Duration) -> Bool { now >= begunAt + duration }
}

/// 64-bit FNV-1a, and not Hasher, which is seeded anew in every process.
enum StableHash {
  static func of(_ text: String) -> UInt64 { of(text.utf8) }

  static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0100_0000_01b3 }
  }
}
