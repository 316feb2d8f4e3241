import Core
import Foundation
import PrivateFiles

/// Puts a version into the store, whole and durably.
struct Publication {
  let store: ImageStore
  let name: String

  private static let staging = "publish"
  /// The path of the staged disk, relative to a workbench.
  static let stagedDisk = "../\(staging)/disk.qcow2"

  /// Moves a disk out of reach of the programs that made it, and makes it read-only.
  ///
  /// - Parameter folder: On the store's file system; the caller removes it.
  func stage(_ disk: String, in folder: String) throws {
    let staged = "\(folder)/\(Self.staging)"
    try? FileManager.default.removeItem(atPath: staged)
    guard mkdir(staged, 0o755) == 0, chmod(staged, 0o755) == 0 else { throw HostError.last("make \(staged)") }
    let path = "\(staged)/disk.qcow2"
    guard rename(disk, path) == 0 else { throw HostError.last("rename \(disk)") }
    // From here on no other user can replace the file by a link.
    try RegularFile.withOpen(path) { descriptor in
      var status = stat()
      guard fstat(descriptor, &status) == 0, status.st_nlink == 1 else {
        throw ImageRefusal.failed("\(disk) is the file of other names, too.")
      }
      if geteuid() == 0, fchown(descriptor, 0, 0) != 0 { throw HostError.last("chown \(path)") }
      guard fchmod(descriptor, 0o444) == 0 else { throw HostError.last("chmod \(path)") }
    }
  }

  /// Puts the staged disk into the store, and makes its version the current one.
  func publish(_ description: ImageDescription, from folder: String) throws {
    let staged = "\(folder)/\(Self.staging)"
    let json = "\(staged)/image.json"
    try description.json.write(to: URL(fileURLWithPath: json))
    guard chmod(json, 0o444) == 0 else { throw HostError.last("chmod \(json)") }
    for path in ["\(staged)/disk.qcow2", json, staged] { try PrivateFile.sync(path) }
    let lock = try StoreLock(store)
    defer { withExtendedLifetime(lock) {} }
    let image = store.folder(of: name)
    let isMade = mkdir(image, 0o755) == 0 && chmod(image, 0o755) == 0
    guard isMade || errno == EEXIST else { throw HostError.last("make \(image)") }
    let version = store.folder(of: name, version: description.version)
    // A complete version of this name would have been found by its suffix before, so that a folder without a disk is
    // incomplete.
    if access("\(version)/disk.qcow2", F_OK) != 0 { try? FileManager.default.removeItem(atPath: version) }
    guard rename(staged, version) == 0 else { throw HostError.last("rename \(staged)") }
    try PrivateFile.sync(image)
    try PrivateFile.sync(store.directory)
    try point(to: description.version)
  }

  /// Throws where the version no longer exists.
  func pointCurrent(to version: String) throws {
    let lock = try StoreLock(store)
    defer { withExtendedLifetime(lock) {} }
    _ = try store.diskPath(of: name, version: version)
    try point(to: version)
  }

  private func point(to version: String) throws {
    if (try? store.currentVersion(of: name)) == version { return }
    let link = store.linkPath(of: name)
    let new = "\(store.folder(of: name))/.current.new"
    unlink(new)
    guard symlink(version, new) == 0, rename(new, link) == 0 else { throw HostError.last("link \(link)") }
    try PrivateFile.sync(store.folder(of: name))
  }
}
