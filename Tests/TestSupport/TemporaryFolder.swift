package import Foundation

/// A new empty folder that is removed when nothing refers to it any more.
package final class ScopedFolder: Sendable {
  package enum Place {
    case disk
    /// In memory, where a commit waits for no disk: for the many databases of tests that never simulate a power cut. On the
    /// disk if there is no room in memory.
    case memory
  }

  package let url: URL

  package init(_ place: Place = .disk) throws {
    let parent = (place == .memory ? Self.memory : nil) ?? FileManager.default.temporaryDirectory
    url = parent.appendingPathComponent("vpsd-test-\(UUID().uuidString)", isDirectory: true)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }

  private static let memory: URL? = {
    let path = "/dev/shm"
    var status = statvfs()
    guard access(path, W_OK) == 0, statvfs(path, &status) == 0,
      UInt64(status.f_bavail) * UInt64(status.f_frsize) >= 1 << 30
    else { return nil }
    return URL(fileURLWithPath: path, isDirectory: true)
  }()
}

/// Runs the body with a new empty folder that is removed afterwards.
package func withTemporaryFolder<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
  let folder = try ScopedFolder()
  defer { withExtendedLifetime(folder) {} }
  return try await body(folder.url)
}
