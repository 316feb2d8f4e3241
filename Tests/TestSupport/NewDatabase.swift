import Core
package import Foundation
import SQLStore

/// The file that the store makes where there is none, with all tables and nothing in them. It is made once in a process, and
/// then copied: every test begins with one, and that the store makes it is the business of tests of its own.
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
