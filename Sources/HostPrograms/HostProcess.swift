package import Foundation

/// A process of this host, as /proc tells it.
package struct HostProcess: Sendable, Equatable {
  package let id: pid_t
  private let commandLine: Data

  /// Nil where there is none of this number, or none any more.
  package init?(_ id: pid_t) {
    guard let line = FileManager.default.contents(atPath: "/proc/\(id)/cmdline") else { return nil }
    (self.id, commandLine) = (id, line)
  }

  /// The one whose number stands in the file, if it is the one that was meant: the file may be older than the process that has
  /// its number now.
  package init?(inFile path: String, where isMeant: (HostProcess) -> Bool) {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8),
      let id = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)), let process = HostProcess(id),
      isMeant(process)
    else { return nil }
    self = process
  }

  /// All that there are. Throws where nobody can look.
  package static func all() throws -> [HostProcess] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.compactMap { HostProcess($0) }
  }

  /// As it was started; empty for one that has ended and was not waited for yet.
  package var program: String { String(decoding: commandLine.prefix { $0 != 0 }, as: UTF8.self) }

  /// The program first; none of one that has ended.
  package var arguments: [String] { commandLine.split(separator: 0).map { String(decoding: $0, as: UTF8.self) } }

  /// Whether the text is one of its arguments, or part of one.
  package func mentions(_ text: String) -> Bool { commandLine.firstRange(of: text.utf8) != nil }

  package var isEmulator: Bool { program.contains("qemu-system") }
}
