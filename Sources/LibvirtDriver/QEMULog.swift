import Foundation

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
}
