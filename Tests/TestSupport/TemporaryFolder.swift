package import Foundation

/// A new empty folder that is gone when nobody refers to it any more.
package final class ScopedFolder: Sendable {
  package let url: URL

  package init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("vpsd-test-\(UUID().uuidString)", isDirectory: true)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }
}

/// Runs the body with a new empty folder that is gone afterwards.
package func withTemporaryFolder<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
  let folder = try ScopedFolder()
  defer { withExtendedLifetime(folder) {} }
  return try await body(folder.url)
}
