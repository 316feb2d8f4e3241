import Core
package import Foundation
import PrivateFiles

/// An installation whose servers have images of a store. Each leaves a mark there, `.installations/UUID` with the path of its
/// data directory, because other installations do not know which images its disks build on.
package struct StoreUser: Sendable {
  package let installation: UUID
  package let dataDirectory: String

  private static let folder = ".installations"
  private static let maximumBytes = 4096

  package init(installation: UUID, dataDirectory: String) {
    self.installation = installation
    self.dataDirectory = Self.resolved(dataDirectory)
  }

  /// Waits while another process is removing versions. Blocks.
  package func mark(_ store: ImageStore) throws {
    try store.makeDirectory()
    let lock = try StoreLock(store)
    defer { withExtendedLifetime(lock) {} }
    let folder = "\(store.directory)/\(Self.folder)"
    guard mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw HostError.last("make \(folder)") }
    let path = "\(folder)/\(installation.text)"
    let content = Array(dataDirectory.utf8)
    if (try? RegularFile.bytes(of: path, atMost: Self.maximumBytes)) == content { return }
    try PrivateFile.write(content, to: path)
    try PrivateFile.sync(store.directory)
  }

  /// Throws where another installation has a mark and its data directory still exists.
  func requireAlone(in store: ImageStore) throws {
    let folder = "\(store.directory)/\(Self.folder)"
    let entries: [String]
    do {
      entries = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      if access(folder, F_OK) != 0, errno == ENOENT { return }
      throw ImageRefusal.failed("\(folder) cannot be listed, so that nothing is removed.")
    }
    for entry in entries.sorted() {
      guard let other = UUID(uuidString: entry), other != installation else { continue }
      let path = "\(folder)/\(entry)"
      guard let bytes = try? RegularFile.bytes(of: path, atMost: Self.maximumBytes), bytes.first == UInt8(ascii: "/")
      else { throw ImageRefusal.failed("\(path) cannot be read, so that nothing is removed.") }
      let directory = String(decoding: bytes, as: UTF8.self)
      if Self.resolved(directory) == dataDirectory || access(directory, F_OK) != 0 && errno == ENOENT { continue }
      throw ImageRefusal.unfit(
        "The installation of \(directory) has images of \(store.directory) too, and its disks may build on any of them: "
          + "nothing is removed. Where it is gone for good, remove \(path).")
    }
  }

  private static func resolved(_ path: String) -> String {
    URL(fileURLWithPath: path, isDirectory: true).resolvingSymlinksInPath().path
  }
}
