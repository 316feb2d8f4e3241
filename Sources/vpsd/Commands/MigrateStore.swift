import ArgumentParser
import Core
import Foundation
import SQLStore

struct MigrateStore: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate-store", abstract: "Copy the database from its file to a server of PostgreSQL, or back.",
    discussion: """
      The service must not be running. All is copied, each row is compared with what it was, and then all of it is there, or, where \
      anything is wrong, nothing. What was there is kept, but no service starts on it any more: a file gets another name, and a \
      server's database a mark. Set `database` before the service starts again. The target is a database in which there is \
      nothing yet, or a file that does not exist. A password is best in a file of libpq's, ~/.pgpass: what a command is given is \
      seen by everybody on the host.
      """)

  @OptionGroup var options: ConfigurationOptions
  @Option(
    help: ArgumentHelp(
      "A URL of PostgreSQL; where the database is on one, the file to write.", valueName: "target"))
  var to: String

  func run() async throws {
    let configuration = try options.load()
    let directory = DataDirectory(configuration.dataDirectory)
    try directory.requireOurs()
    let location = configuration.databaseLocation
    if case .file(let path) = location, !FileManager.default.fileExists(atPath: path) {
      do { try directory.requireDatabaseNotMoved() } catch { throw Refusal.refused("\(error)") }
      throw Refusal.refused("There is no database at \(path): start the service once.")
    }
    try directory.ensureExists()
    // The lock keeps a service from starting meanwhile.
    let lock = try ProcessLock(path: directory.lock, for: "migrate-store")
    do {
      switch location {
      case .file(let path): try await moveToServer(path)
      case .server(let address): try await moveToFile(address)
      }
    } catch let error as UnfitTarget {
      throw Refusal.refused(error.description)
    } catch let error as UnfitState {
      throw Refusal.refused("The database cannot be moved. \(error)")
    }
    withExtendedLifetime(lock) {}
  }

  private func moveToServer(_ path: String) async throws {
    guard let address = PostgreSQLAddress(to) else {
      throw ValidationError("--to: it is not a URL of PostgreSQL, such as postgresql://vpsd@db.example.com/vpsd.")
    }
    let move = try await StoreMove.move(file: path, to: address)
    let kept = try Self.setAside(path)
    print(
      """
      \(move.rowCount) rows of \(move.tableCount) tables are on the server, and each is what it was.
      Set `database` to \(address), and start the service. What was there is in \(kept.escaped()), and is used no more.
      """)
  }

  /// Gives the file another name, so that no service begins on it by mistake: it would remove all servers that were made since.
  private static func setAside(_ path: String) throws -> String {
    // A database that can be opened no longer needs its log.
    try? SQLStore(path: path, .asItIs).release()
    let now = Int(Date().timeIntervalSince1970)
    let names = (now..<now + 1000).map { "\(path).moved-\($0)" }
    let kept = names.first { !FileManager.default.fileExists(atPath: $0) } ?? names[0]
    for suffix in ["", "-wal", "-shm"] {
      guard rename(path + suffix, kept + suffix) == 0 || errno == ENOENT else {
        throw FileFailure.last("rename", path + suffix)
      }
    }
    return kept
  }

  private func moveToFile(_ address: PostgreSQLAddress) async throws {
    guard !to.isEmpty, !to.contains("://") else {
      throw ValidationError("--to: `database` names a server of PostgreSQL, so that this is the path of a new file.")
    }
    let path = URL(fileURLWithPath: to).path
    let move = try await StoreMove.move(address, toFile: path)
    let service = DataDirectory(try options.load().dataDirectory).database
    let place = path == service ? "" : ", put the file at \(service.escaped())"
    print(
      """
      \(move.rowCount) rows of \(move.tableCount) tables are in \(path.escaped()), and each is what it was.
      Take `database` out of the configuration\(place), and start the service. None begins on the server's database any more.
      """)
  }
}
