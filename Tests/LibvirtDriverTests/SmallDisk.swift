import Foundation
import PrivateFiles

@testable import LibvirtDriver

/// A file system of its own, in memory, that can be as full as a test wants.
struct SmallDisk {
  let path: String

  private static let roomy = Int64(8) << 30
  private static let remount: UInt = 32 /* MS_REMOUNT */

  /// Whether a mount is seen by nobody but the test.
  static var isPossible: Bool { ProcessInfo.processInfo.environment["VPSD_TEST_MOUNTS"] == "own" }

  init(at path: String) throws {
    self.path = path
    guard mount("tmpfs", path, "tmpfs", 0, "size=\(Self.roomy),mode=0700") == 0 else {
      throw HostError.last("mount a file system at \(path)")
    }
  }

  /// From now on there are these free bytes, and no more.
  func leave(bytes: Int64) throws {
    // What is written between the two calls can make the size too small.
    for _ in 0..<1000 {
      if try resize(to: try usedBytes() + bytes) { return }
    }
    throw HostError(call: "leave \(bytes) bytes at \(path)", number: EBUSY)
  }

  func makeRoom() throws {
    guard try resize(to: Self.roomy) else { throw HostError.last("make room at \(path)") }
  }

  func end() throws {
    guard umount2(path, Int32(2 /* MNT_DETACH */)) == 0 else { throw HostError.last("unmount \(path)") }
  }

  private func usedBytes() throws -> Int64 {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { throw HostError.last("look at \(path)") }
    return Int64(status.f_blocks - status.f_bfree) * Int64(status.f_frsize)
  }

  private func resize(to bytes: Int64) throws -> Bool {
    mount("tmpfs", path, "tmpfs", Self.remount, "size=\(max(bytes, 4096))") == 0
  }
}
