import ArgumentParser
import Core
import Foundation
import SQLStore

struct MigrateStore: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate-store", abstract: "Copy the database from its file to a server of PostgreSQL, or back.",
    discussion: """
      The service must not be running. All is copied, each row is compared with what it was, and then all of it is there, or, where \
      anything is wrong, nothing. What was there stays as it is, and so does the configuration: set `database` before the service \
      starts again. The target is a database in which there is nothing yet, or a file that does not exist. A password is best in \
      a file of libpq's, ~/.pgpass: what a command is given is seen by everybody on the host.
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
      throw Refusal.refused("There is no database at \(path): start the service once.")
    }
    try directory.ensureExists()
    // The lock keeps a service from starting meanwhile.
    let lock = try ProcessLock(path: directory.lock)
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
    print(
      """
      \(move.rowCount) rows of \(move.tableCount) tables are on the server, and each is what it was.
      Set `database` to \(address), and start the service. \(path.escaped()) stays as it was, and is used no more.
      """)
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
      Take `database` out of the configuration\(place), and start the service. The server's database stays as it was.
      """)
  }
}
