import Core
import Foundation

/// Standard error as a log has it: one entry, one line. What customers, guests, QEMU and libvirt chose or said is in the
/// entries, so that everything in them which is no plain text is escaped here, in the one place that all of them pass.
struct LogLines: TextOutputStream, Sendable {
  /// In Unicode scalars.
  private static let maximumLength = 4000

  /// - Parameter entry: A whole one, with the newline at its end.
  func write(_ entry: String) {
    Self.write(line: Self.line(entry))
  }

  /// - Parameter line: One in which everything is escaped.
  static func write(line: String) { try? FileHandle.standardError.write(contentsOf: Data(line.utf8)) }

  static func line(_ entry: String) -> String {
    var entry = entry[...]
    if entry.utf8.last == UInt8(ascii: "\n") { entry = entry[..<entry.utf8.index(before: entry.utf8.endIndex)] }
    return entry.escaped(atMost: maximumLength) + "\n"
  }
}
