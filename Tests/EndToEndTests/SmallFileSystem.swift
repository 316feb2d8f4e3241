import Foundation

/// A file system in memory, mounted in a mount namespace of its own, so that the host never has it. A process keeps the
/// namespace: others enter it, and when it has ended and they have, nothing is left.
final class SmallFileSystem: Sendable {
  private let keeper: pid_t

  init(at path: String, sizeMiB: Int) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
    process.arguments = [
      "--mount", "--propagation", "private", "/bin/sh", "-c",
      "mount -t tmpfs -o size=\(sizeMiB)m,mode=0700 tmpfs \"$0\" && echo mounted && exec sleep 3600", path,
    ]
    let output = Pipe()
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    keeper = process.processIdentifier
    guard let word = try output.fileHandleForReading.read(upToCount: 7), word.starts(with: Data("mounted".utf8)) else {
      throw Command.Failed(description: "No file system at \(path): this needs root.")
    }
  }

  /// What a command begins with that is to run where the file system is.
  var entrance: [String] { ["/usr/bin/nsenter", "--mount=/proc/\(keeper)/ns/mnt", "--"] }

  /// Where its root is for those outside.
  var root: String { "/proc/\(keeper)/root" }

  func end() throws {
    guard kill(keeper, SIGKILL) == 0 || errno == ESRCH else {
      throw Command.Failed(description: "The keeper of a mount namespace, process \(keeper), cannot be ended.")
    }
  }
}
