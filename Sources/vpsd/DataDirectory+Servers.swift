import Core
import Foundation
import PrivateFiles

/// Whose servers the data directory has. A service removes machines that its database does not know, with their disks, so it
/// must never begin with another database than theirs.
extension DataDirectory {
  private var servers: String { path + "/servers" }
  /// Holds the id of the installation; absent where only earlier versions have served this directory.
  private var serversInstallation: String { servers + "/.installation" }

  /// Throws where there are servers of another installation than this one.
  ///
  /// - Parameters:
  ///   - installation: That of a database; nil for a database that nobody has used yet.
  ///   - former: That of the database that was here before, for a directory in which no service has noted its own yet.
  func requireServers(of installation: UUID?, after former: UUID? = nil) throws {
    guard try hasServers() else { return }
    guard let installation else {
      throw Unfit(
        description: "The database is empty, and \(servers) has servers, which a service that begins anew would "
          + "remove with their disks. If it is the wrong database, set `database` to theirs, put vpsd.sqlite back, or "
          + "move it first (vpsd migrate-store); if nobody needs these servers, remove that folder.")
    }
    guard let known = try noted(in: serversInstallation) ?? former, known != installation else { return }
    throw Unfit(
      description: "\(servers) has servers of another installation (\(known.text)) than the database "
        + "(\(installation.text)), which a service would remove with their disks. If it is the wrong database, name "
        + "theirs; if nobody needs these servers, remove that folder.")
  }

  /// Notes whose servers those in this directory will be. `requireServers` comes before.
  func noteServers(of installation: UUID) throws {
    if try noted(in: serversInstallation) == installation { return }
    do {
      try FileManager.default.createDirectory(
        atPath: servers, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      try PrivateFile.write(Array("\(installation.uuidString)\n".utf8), to: serversInstallation)
    } catch let error as HostError {
      throw FileFailure(error)
    }
  }

  private func hasServers() throws -> Bool {
    guard access(servers, F_OK) == 0 || errno != ENOENT else { return false }
    return try FileManager.default.contentsOfDirectory(atPath: servers).contains { UUID(uuidString: $0) != nil }
  }
}
