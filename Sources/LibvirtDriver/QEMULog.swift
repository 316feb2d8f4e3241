import Foundation

/// The log in which QEMU and libvirt write how a machine ended.
enum QEMULog {
  /// A QEMU that is told to end by a signal, as all are when the host goes down, shuts down in order; libvirt then keeps the
  /// same reason as for a guest that shut itself down. Only the log knows the difference, and outlives every daemon. A
  /// signal from libvirtd does not count: that is how it ends a QEMU whose guest has shut itself down.
  static func endedBySignal(path: String) -> Bool {
    guard let file = FileHandle(forReadingAtPath: path) else { return false }
    defer { try? file.close() }
    // The command line of each start is far longer than this, so an earlier end is never in sight.
    guard let size = try? file.seekToEnd(), (try? file.seek(toOffset: size - min(size, 1024))) != nil,
      let tail = try? file.readToEnd()
    else { return false }
    return String(decoding: tail, as: UTF8.self).split(separator: "\n").contains { line in
      line.contains("terminating on signal") && !line.contains("libvirtd")
    }
  }
}
