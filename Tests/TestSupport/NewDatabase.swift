import Core
package import Foundation
import SQLStore

/// A new SQLite database with all tables and no rows. It is made once in a process and then copied, because every test begins
/// with one; how the store makes it has tests of its own.
package enum NewDatabase {
  private static let content = Result {
    let folder = try ScopedFolder(.memory)
    let file = folder.url.appendingPathComponent("vpsd.sqlite")
    try SQLStore(path: file.path).release()
    return try Data(contentsOf: file)
  }

  package static func write(to file: URL) throws {
    guard
      FileManager.default.createFile(
        atPath: file.path, contents: try content.get(), attributes: [.posixPermissions: 0o600])
    else { throw CannotWrite(path: file.path) }
  }

  private struct CannotWrite: Error {
    let path: String
  }
}
