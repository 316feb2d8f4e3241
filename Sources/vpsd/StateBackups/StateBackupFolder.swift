import Core
import Foundation

/// The copies of an installation's state, in a folder that several installations may share:
/// `vpsd-9f0c1e52-20261127T030000Z.sqlite`.
struct StateBackupFolder: Sendable {
  let path: String
  let installation: UUID

  /// The name of a copy that is being written.
  var partial: String { "\(path)/\(prefix)new" }

  private var prefix: String { "vpsd-\(installation.uuidString.prefix(8).lowercased())-" }
  private static let suffix = ".sqlite"
  private static let style = Date.ISO8601FormatStyle(dateSeparator: .omitted, timeSeparator: .omitted)

  func file(of time: Timestamp) -> String {
    let date = Date(timeIntervalSince1970: Double(time.millisecondsSinceEpoch / 1000))
    return "\(path)/\(prefix)\(date.formatted(Self.style))\(Self.suffix)"
  }

  /// The times of all copies, the oldest one first.
  func times() throws -> [Timestamp] {
    try FileManager.default.contentsOfDirectory(atPath: path).compactMap { name in
      guard name.hasPrefix(prefix), name.hasSuffix(Self.suffix) else { return nil }
      let text = name.dropFirst(prefix.count).dropLast(Self.suffix.count)
      guard text.utf8.count == 16, let date = try? Date(String(text), strategy: Self.style) else { return nil }
      return Timestamp(millisecondsSinceEpoch: Int64(date.timeIntervalSince1970) * 1000)
    }.sorted()
  }

  /// Carries out what blocks on a thread of its own: the folder may be on another machine, which does not answer for minutes.
  static func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
      Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
  }

  /// Makes the folder where it does not exist. Throws where others may write there, and so could replace a state.
  func ensureExists() throws {
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    guard let status = FileStatus(real), status.type == .typeDirectory else {
      throw DataDirectory.Unfit(description: "\(path) is no folder.")
    }
    guard status.user == geteuid(), status.permissions & 0o022 == 0 else {
      throw DataDirectory.Unfit(
        description: "Others may write in \(path): chown it to the user of vpsd, and chmod go-w it.")
    }
  }

  /// Gives the partial copy its final name, its key first, so that no state is without its key.
  func keep(_ time: Timestamp) throws {
    let file = file(of: time)
    for (old, new) in [(StateCopy.keyPath(beside: partial), StateCopy.keyPath(beside: file)), (partial, file)] {
      guard rename(old, new) == 0 || (errno == ENOENT && old != partial) else { throw FileFailure.last("rename", old) }
    }
  }

  /// Removes a partial copy that a process left when it died.
  func removePartial() {
    for file in [partial, StateCopy.keyPath(beside: partial)] { unlink(file) }
  }

  /// Removes surplus copies. Those of a later time than now, from before the clock was set back, go first: they would push out
  /// what is made now.
  func prune(to count: Int, at now: Timestamp) throws {
    let times = try times()
    for time in (times.filter { $0 > now } + times.filter { $0 <= now }).dropLast(count) {
      for file in [file(of: time), StateCopy.keyPath(beside: file(of: time))] {
        guard unlink(file) == 0 || errno == ENOENT else { throw FileFailure.last("remove", file) }
      }
    }
  }
}
