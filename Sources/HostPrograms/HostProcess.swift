package import Foundation

/// A process of this host, read from /proc.
package struct HostProcess: Sendable, Equatable {
  package let id: pid_t
  private let commandLine: Data

  /// Nil where there is no process with this ID.
  package init?(_ id: pid_t) {
    guard let line = FileManager.default.contents(atPath: "/proc/\(id)/cmdline") else { return nil }
    (self.id, commandLine) = (id, line)
  }

  /// The process whose ID is in the file, if it is the intended one: the ID may have been reused since the file was written.
  package init?(inFile path: String, where isMeant: (HostProcess) -> Bool) {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8),
      let id = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)), let process = HostProcess(id),
      isMeant(process)
    else { return nil }
    self = process
  }

  /// All processes. Throws where /proc cannot be read.
  package static func all() throws -> [HostProcess] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.compactMap { HostProcess($0) }
  }

  /// The program as in the command line; empty for a process that has ended but was not waited for.
  package var program: String { String(decoding: commandLine.prefix { $0 != 0 }, as: UTF8.self) }

  /// The command line with the program first; empty for a process that has ended.
  package var arguments: [String] { commandLine.split(separator: 0).map { String(decoding: $0, as: UTF8.self) } }

  /// Whether the text occurs in the command line.
  package func mentions(_ text: String) -> Bool { commandLine.firstRange(of: text.utf8) != nil }

  /// Whether process IDs are counted for it as for this process; false where that cannot be read.
  package var isInOwnNamespace: Bool {
    let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
    return own != nil && own == (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(id)/ns/pid"))
  }

  package var isEmulator: Bool { program.contains("qemu-system") }
}
