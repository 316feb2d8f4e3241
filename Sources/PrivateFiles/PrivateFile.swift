import CGNU
import Glibc

/// Writes files that only their owner may read, whole or not at all. All of this blocks.
package enum PrivateFile {
  /// Writes the whole file, replacing an earlier one, or nothing.
  ///
  /// - Parameters:
  ///   - permissions: Others than the default are for files that are no secret.
  ///   - draft: The suffix of the file until it is whole. Writers that may run at the same time need different ones.
  ///   - isDurable: Whether the file is synced: then a power cut leaves either the old or the new file.
  package static func write(
    _ bytes: some Collection<UInt8>, to path: String, permissions: UInt32 = 0o600, draft: String = ".new",
    isDurable: Bool = true
  ) throws(HostError) {
    let temporary = path + draft
    // A killed process may have left one, with any permissions.
    unlink(temporary)
    try create(new: temporary, permissions: permissions, isDurable: isDurable) { file throws(HostError) in
      try file.write(bytes)
    }
    guard rename(temporary, path) == 0 else {
      let error = HostError.last("rename \(temporary)")
      unlink(temporary)
      throw error
    }
    if isDurable { try sync(folder(of: path)) }
  }

  /// Writes the whole file or nothing, unsynced, and keeps the earlier file as `spare`, into which the next one is written: to
  /// create and delete a file takes a file system several times longer than to fill one. Writers with the same spare must
  /// take turns. Whoever has the earlier file open may read what is written next.
  package static func exchange(_ bytes: some Collection<UInt8>, to path: String, spare: String) throws(HostError) {
    let (descriptor, size) = try openSpare(spare)
    defer { close(descriptor) }
    try NewFile(descriptor: descriptor, path: spare).write(bytes)
    guard size <= bytes.count || ftruncate(descriptor, bytes.count) == 0 else { throw .last("cut \(spare)") }
    if renameat2(AT_FDCWD, spare, AT_FDCWD, path, exchangeFlag) == 0 { return }
    // There is no earlier file, or the file system cannot exchange two.
    guard rename(spare, path) == 0 else { throw .last("rename \(spare)") }
  }

  /// Opens the spare, and tells its size. What others could read, a link, and another user's file in its place are removed.
  private static func openSpare(_ path: String) throws(HostError) -> (descriptor: Int32, size: Int) {
    let flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC
    var status = stat()
    var descriptor = open(path, flags, 0o600)
    let isOwn =
      descriptor >= 0 && fstat(descriptor, &status) == 0 && status.st_mode == S_IFREG | 0o600
      && status.st_uid == geteuid() && status.st_nlink == 1
    if isOwn { return (descriptor, Int(status.st_size)) }
    if descriptor >= 0 { close(descriptor) }
    unlink(path)
    descriptor = open(path, flags | O_EXCL, 0o600)
    guard descriptor >= 0 else { throw .last("open \(path)") }
    return (descriptor, 0)
  }

  /// RENAME_EXCHANGE of linux/fs.h.
  private static let exchangeFlag: UInt32 = 2

  /// Creates a file; throws where the path exists.
  package static func create(new path: String, _ bytes: some Collection<UInt8>) throws(HostError) {
    try create(new: path) { file throws(HostError) in try file.write(bytes) }
  }

  /// The same, piece by piece. If that fails, no file is left.
  package static func create(
    new path: String, permissions: UInt32 = 0o600, isDurable: Bool = true,
    _ fill: (NewFile) throws(HostError) -> Void
  ) throws(HostError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, permissions)
    guard descriptor >= 0 else { throw .last("create \(path)") }
    defer { close(descriptor) }
    do throws(HostError) {
      try fill(NewFile(descriptor: descriptor, path: path))
      guard !isDurable || fsync(descriptor) == 0 else { throw HostError.last("sync \(path)") }
    } catch {
      unlink(path)
      throw error
    }
  }

  /// Syncs the content of a file, or the entries of a folder, to the disk.
  package static func sync(_ path: String) throws(HostError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .last("open \(path)") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .last("sync \(path)") }
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}

/// A file that is being filled.
package struct NewFile {
  fileprivate let descriptor: Int32
  fileprivate let path: String

  /// Appends all bytes, in however many writes the kernel takes.
  package func write(_ bytes: some Collection<UInt8>) throws(HostError) {
    var rest = ArraySlice(bytes)
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .last("write \(path)") }
      rest = rest.dropFirst(count)
    }
  }
}
