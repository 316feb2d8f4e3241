import CGNU
import Foundation
import PrivateFiles

/// The log file in which QEMU and libvirt write how a machine ended.
enum QEMULog {
  /// Whether QEMU was ended by a signal, as every QEMU is when the host shuts down. QEMU then ends in an orderly way, and
  /// libvirt keeps the same reason as for a guest that shut itself down; only the log shows the difference, and it outlives
  /// every daemon. A signal from libvirtd does not count: it ends a QEMU that way after its guest has shut down.
  static func endedBySignal(path: String) -> Bool {
    guard let file = FileHandle(forReadingAtPath: path) else { return false }
    defer { try? file.close() }
    // The command line that each start logs is far longer than this, so that an earlier end is never within it.
    guard let size = try? file.seekToEnd(), (try? file.seek(toOffset: size - min(size, 1024))) != nil,
      let tail = try? file.readToEnd()
    else { return false }
    return String(decoding: tail, as: UTF8.self).split(separator: "\n").contains { line in
      line.contains("terminating on signal") && !line.contains("libvirtd")
    }
  }

  /// What a log may take of the host's disk.
  private static let mostBytes: Int64 = 1 << 20
  /// What is kept of one that takes more: its end, in which `endedBySignal` looks.
  private static let keptBytes: Int64 = 64 << 10

  /// Shortens every log in the folder that has grown too long.
  static func trimAll(in folder: String) throws {
    guard MachineFiles.exists(folder) else { return }
    var failure: (any Error)?
    for name in try MachineFiles.names(in: folder) where name.hasSuffix(".log") {
      do {
        try trim("\(folder)/\(name)")
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }

  /// Makes a hole of everything but the end. Unlike a truncation, that is right however QEMU has opened the file.
  private static func trim(_ path: String) throws {
    guard let size = try MachineFiles.size(of: path), size > mostBytes,
      try MachineFiles.allocatedBytes(of: path) > mostBytes
    else { return }
    let descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { throw HostError.last("open \(path)") }
    defer { close(descriptor) }
    // FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
    if fallocate(descriptor, 0x02 | 0x01, 0, off_t((size - keptBytes) & ~4095)) == 0 { return }
    // On a file system without holes a full disk is worse than a log that is lost.
    guard errno == EOPNOTSUPP, ftruncate(descriptor, 0) == 0 else { throw HostError.last("shorten \(path)") }
  }
}
