import Foundation
import PrivateFiles

/// What still needs versions of images: what servers' rows name, and what their disks build on.
package struct ImageUse: Sendable {
  /// Of all servers that are not gone: a disk that is made again is made from it. By whichever image they have it, because an
  /// operating system may get another one.
  package var versionsOfServers: Set<String> = []
  /// Folders of servers, each with its disk.
  package var serverFolders: String

  package init(serverFolders: String) {
    self.serverFolders = serverFolders
  }

  /// Throws where a disk cannot be read: who knows what it builds on.
  func disks(of store: ImageStore) throws -> Set<String> {
    let servers = (try? FileManager.default.contentsOfDirectory(atPath: serverFolders)) ?? []
    var paths: Set<String> = []
    for server in servers {
      let folder = "\(serverFolders)/\(server)"
      for file in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      where file.hasPrefix("disk.qcow2") {
        let path = "\(folder)/\(file)"
        guard RegularFile.isThere(path) else { continue }
        // Half of one that is being made builds on nothing yet.
        let header = try RegularFile.withOpen(path) { QCOW2Header(descriptor: $0) }
        guard let header else {
          if file == "disk.qcow2" { throw ImageRefusal.failed("\(path) cannot be read, so that nothing is removed.") }
          continue
        }
        if let backingFile = header.backingFile { paths.insert(Self.tail(of: backingFile)) }
      }
    }
    return paths
  }

  func includes(_ name: String, _ version: String, disks: Set<String>) -> Bool {
    versionsOfServers.contains(version) || disks.contains("\(name)/\(version)")
  }

  /// `NAME/VERSION`, by whatever way to the store.
  private static func tail(of path: String) -> String {
    path.split(separator: "/").suffix(3).dropLast().joined(separator: "/")
  }
}
