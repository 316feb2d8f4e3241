import Foundation
import PrivateFiles

/// The image versions that are still needed: those in servers' rows, and those that servers' disks build on.
package struct ImageUse: Sendable {
  /// The versions of all servers that still exist, because a rebuilt disk is made from them. A version counts for every image,
  /// because an operating system may get another image.
  package var versionsOfServers: Set<String> = []
  /// The folder with a folder for each server, in which its disks are.
  package var serverFolders: String
  /// The installation that the servers belong to.
  package var user: StoreUser

  package init(serverFolders: String, of user: StoreUser) {
    self.serverFolders = serverFolders
    self.user = user
  }

  /// Exists while a rescue system runs on the server.
  private static let rescueDisk = "rescue.qcow2"

  /// The `NAME/VERSION` of all images that disks build on. Throws where a disk cannot be read, or where other installations use
  /// the store, because their disks are unknown here.
  func disks(of store: ImageStore) throws -> Set<String> {
    try user.requireAlone(in: store)
    var paths: Set<String> = []
    for server in try Self.entries(of: serverFolders) {
      let folder = "\(serverFolders)/\(server)"
      if RegularFile.isThere(folder) { continue }
      for file in try Self.entries(of: folder) where file.hasPrefix("disk.qcow2") || file == Self.rescueDisk {
        let path = "\(folder)/\(file)"
        guard try Self.isDisk(path) else { continue }
        // A disk that is still being written builds on nothing yet.
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

  /// Empty where there is no such folder.
  private static func entries(of folder: String) throws -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      if access(folder, F_OK) != 0, errno == ENOENT { return [] }
      throw ImageRefusal.failed("\(folder) cannot be listed, so that nothing is removed.")
    }
  }

  /// False where the file has been removed meanwhile.
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

  /// `NAME/VERSION`, whichever path leads to the store.
  private static func tail(of path: String) -> String {
    path.split(separator: "/").suffix(3).dropLast().joined(separator: "/")
  }
}
