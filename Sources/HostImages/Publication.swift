import Core
import Foundation
import PrivateFiles

/// Puts a version into the store, whole and for good.
struct Publication {
  let store: ImageStore
  let name: String

  /// - Parameter folder: On the store's file system; removed by whoever made it.
  func publish(_ disk: String, _ description: ImageDescription, from folder: String) throws {
    let staged = "\(folder)/publish"
    try? FileManager.default.removeItem(atPath: staged)
    guard mkdir(staged, 0o755) == 0, chmod(staged, 0o755) == 0 else { throw HostError.last("make \(staged)") }
    if geteuid() == 0 { try FileOwner.root.take(disk) }
    guard chmod(disk, 0o444) == 0, rename(disk, "\(staged)/disk.qcow2") == 0 else {
      throw HostError.last("rename \(disk)")
    }
    let json = "\(staged)/image.json"
    try description.json.write(to: URL(fileURLWithPath: json))
    guard chmod(json, 0o444) == 0 else { throw HostError.last("chmod \(json)") }
    for path in ["\(staged)/disk.qcow2", json, staged] { try PrivateFile.sync(path) }
    let lock = try StoreLock(store)
    defer { withExtendedLifetime(lock) {} }
    let image = store.folder(of: name)
    guard mkdir(image, 0o755) == 0 || errno == EEXIST else { throw HostError.last("make \(image)") }
    let version = store.folder(of: name, version: description.version)
    // A folder of this name that has a disk would be found by its suffix; one without is half of something.
    if access("\(version)/disk.qcow2", F_OK) != 0 { try? FileManager.default.removeItem(atPath: version) }
    guard rename(staged, version) == 0 else { throw HostError.last("rename \(staged)") }
    try PrivateFile.sync(image)
    try PrivateFile.sync(store.directory)
    try point(to: description.version)
  }

  /// Throws where the version is not there any more.
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
