import Core
import Foundation

/// Standard error with one line for each log entry. Entries may contain text from customers, guests, QEMU and libvirt, so
/// everything but plain text is escaped here, through which all entries pass.
struct LogLines: TextOutputStream, Sendable {
  /// The maximum length of an entry, in Unicode scalars.
  private static let maximumLength = 4000

  /// - Parameter entry: A whole entry, with the newline at its end.
  func write(_ entry: String) {
    Self.write(line: Self.line(entry))
  }

  /// - Parameter line: A line that has been escaped.
  static func write(line: String) { try? FileHandle.standardError.write(contentsOf: Data(line.utf8)) }

  static func line(_ entry: String) -> String {
    var entry = entry[...]
    if entry.utf8.last == UInt8(ascii: "\n") { entry = entry[..<entry.utf8.index(before: entry.utf8.endIndex)] }
    return entry.escaped(atMost: maximumLength) + "\n"
  }
}
