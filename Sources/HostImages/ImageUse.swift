import Foundation
import PrivateFiles

/// What still needs versions of images: what servers' rows name, and what their disks build on.
package struct ImageUse: Sendable {
  /// Of all servers that are not gone: a disk that is made again is made from it. By whichever image they have it, because an
  /// operating system may get another one.
  package var versionsOfServers: Set<String> = []
  /// Folders of servers, each with its disk.
  package var serverFolders: String
  /// Whose servers these are.
  package var user: StoreUser

  package init(serverFolders: String, of user: StoreUser) {
    self.serverFolders = serverFolders
    self.user = user
  }

  /// Of a server that a rescue system runs on.
  private static let rescueDisk = "rescue.qcow2"

  /// Throws where a disk cannot be read, or others use the store too: who knows what theirs build on.
  func disks(of store: ImageStore) throws -> Set<String> {
    try user.requireAlone(in: store)
    var paths: Set<String> = []
    for server in try Self.entries(of: serverFolders) {
      let folder = "\(serverFolders)/\(server)"
      if RegularFile.isThere(folder) { continue }
      for file in try Self.entries(of: folder) where file.hasPrefix("disk.qcow2") || file == Self.rescueDisk {
        let path = "\(folder)/\(file)"
        guard try Self.isDisk(path) else { continue }
        // Half of one that is being made builds on nothing yet.
        let header = try RegularFile.withOpen(path) { QCOW2Header(descriptor: $0) }
        guard let header else {
          if ["disk.qcow2", Self.rescueDisk].contains(file) {
            throw ImageRefusal.failed("\(path) cannot be read, so that nothing is removed.")
          }
          continue
        }
        if let backingFile = header.backingFile { paths.insert(Self.tail(of: backingFile)) }
      }
    }
    return paths
  }

  /// None where there is no such folder.
  private static func entries(of folder: String) throws -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      if access(folder, F_OK) != 0, errno == ENOENT { return [] }
      throw ImageRefusal.failed("\(folder) cannot be listed, so that nothing is removed.")
    }
  }

  /// False where it is gone by now.
  private static func isDisk(_ path: String) throws -> Bool {
    do {
      _ = try RegularFile.size(of: path)
      return true
    } catch let error as HostError where error.number == ENOENT {
      return false
    } catch {
      throw ImageRefusal.failed("\(path) is no file that can be read, so that nothing is removed.")
    }
  }

  func includes(_ name: String, _ version: String, disks: Set<String>) -> Bool {
    versionsOfServers.contains(version) || disks.contains("\(name)/\(version)")
  }

  /// `NAME/VERSION`, by whatever way to the store.
  private static func tail(of path: String) -> String {
    path.split(separator: "/").suffix(3).dropLast().joined(separator: "/")
  }
}
