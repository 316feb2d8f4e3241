package import Foundation
import PrivateFiles

/// Removes versions that nothing needs. Blocks.
package struct ImageRemoval: Sendable {
  package let store: ImageStore
  package let use: ImageUse

  /// `prune` keeps all versions that long after the current one has changed: a create that has chosen one may not have stored
  /// it yet.
  package static let graceSeconds = 3600

  private static let removing = ".removing-"

  package struct Version: Sendable, Equatable {
    package let name: String
    package let version: String
  }

  package init(store: ImageStore, use: ImageUse) {
    self.store = store
    self.use = use
  }

  /// Removes an image with all its versions.
  package func remove(_ name: String) throws -> [Version] {
    try removing(name) {
      // The current version is removed last, so that an interrupted removal still lets new servers be made.
      let current = try? store.currentVersion(of: name)
      let all = store.versions(of: name)
      let versions = all.filter { $0 != current } + all.filter { $0 == current }
      var status = stat()
      guard !versions.isEmpty || lstat(store.linkPath(of: name), &status) == 0 else {
        throw ImageRefusal.notFound("There is no image \(name).")
      }
      let disks = try use.disks(of: store)
      for version in versions where use.includes(name, version, disks: disks) { throw Self.inUse(name, version) }
      for version in versions { try remove(name, version) }
      unlink(store.linkPath(of: name))
      try removeIfEmpty(name)
      return all.map { Version(name: name, version: $0) }
    }
  }

  package func removeVersion(_ version: String, of name: String) throws -> Version {
    try removing(name) {
      guard store.versions(of: name).contains(version) else {
        throw ImageRefusal.notFound("There is no version \(version) of an image \(name).")
      }
      if (try? store.currentVersion(of: name)) == version {
        throw ImageRefusal.unfit("\(version) is the version of \(name) that new servers have: remove the whole image.")
      }
      if use.includes(name, version, disks: try use.disks(of: store)) { throw Self.inUse(name, version) }
      try remove(name, version)
      return Version(name: name, version: version)
    }
  }

  /// Removes all versions that nothing needs and that new servers do not get, and leftovers of killed processes.
  package func prune(now: Date) throws -> [Version] {
    try use.user.requireAlone(in: store)
    _ = try WorkFolder.removeAbandoned(in: store)
    let lock = try StoreLock(store)
    defer { withExtendedLifetime(lock) {} }
    let disks = try use.disks(of: store)
    var removed: [Version] = []
    for name in store.names {
      try removeLeftovers(of: name)
      guard let current = try? store.currentVersion(of: name), isSettled(name, now) else { continue }
      for version in store.versions(of: name)
      where version != current && !use.includes(name, version, disks: disks) {
        try remove(name, version)
        removed.append(Version(name: name, version: version))
      }
    }
    return removed
  }

  private func isSettled(_ name: String, _ now: Date) -> Bool {
    var status = stat()
    guard lstat(store.linkPath(of: name), &status) == 0 else { return false }
    return now.timeIntervalSince1970 - Double(status.st_mtim.tv_sec) > Double(Self.graceSeconds)
  }

  private func removing<Value>(_ name: String, _ body: () throws -> Value) throws -> Value {
    guard FileManager.default.fileExists(atPath: store.folder(of: name)) else {
      throw ImageRefusal.notFound("There is no image \(name).")
    }
    let folder = try WorkFolder(for: name, in: store)
    defer { try? folder.remove() }
    let lock = try StoreLock(store)
    defer { withExtendedLifetime(lock) {} }
    return try body()
  }

  private static func inUse(_ name: String, _ version: String) -> ImageRefusal {
    .unfit("Servers are made from \(name) \(version): it goes when they are gone.")
  }

  /// Moves the version aside first, and moves it back if a disk was made from it meanwhile.
  private func remove(_ name: String, _ version: String) throws {
    let folder = store.folder(of: name, version: version)
    let aside = "\(store.folder(of: name))/\(Self.removing)\(version)"
    guard rename(folder, aside) == 0 else { throw HostError.last("rename \(folder)") }
    if try use.disks(of: store).contains("\(name)/\(version)") {
      guard rename(aside, folder) == 0 else { throw HostError.last("rename \(aside)") }
      throw Self.inUse(name, version)
    }
    try FileManager.default.removeItem(atPath: aside)
    try PrivateFile.sync(store.folder(of: name))
  }

  private func removeLeftovers(of name: String) throws {
    let folder = store.folder(of: name)
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for entry in entries where entry.hasPrefix(Self.removing) {
      // If a process died after moving it aside, a disk may need it.
      let version = String(entry.dropFirst(Self.removing.count))
      if try use.disks(of: store).contains("\(name)/\(version)") {
        guard rename("\(folder)/\(entry)", "\(folder)/\(version)") == 0 else { throw HostError.last("rename \(entry)") }
      } else {
        try FileManager.default.removeItem(atPath: "\(folder)/\(entry)")
      }
    }
  }

  private func removeIfEmpty(_ name: String) throws {
    try removeLeftovers(of: name)
    let folder = store.folder(of: name)
    guard rmdir(folder) == 0 || errno == ENOTEMPTY else { throw HostError.last("remove \(folder)") }
    try PrivateFile.sync(store.directory)
  }
}
