import Foundation

/// A file that only its owner may read.
package enum PrivateFile {
  /// Writes all of it, in the place of what may be there, or nothing. Blocks.
  ///
  /// - Parameter isDurable: Whether it lasts from here on: a power cut leaves the old one or the new one.
  package static func write(
    _ bytes: some Collection<UInt8>, to path: String, isDurable: Bool = true
  ) throws(HostError) {
    let temporary = path + ".new"
    // One that a process left that was killed here, whoever may read that.
    unlink(temporary)
    try create(temporary, Array(bytes), isDurable)
    guard rename(temporary, path) == 0 else { throw .last("rename \(temporary)") }
    if isDurable { try sync((path as NSString).deletingLastPathComponent) }
  }

  private static func create(_ path: String, _ bytes: [UInt8], _ isDurable: Bool) throws(HostError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .last("create \(path)") }
    defer { close(descriptor) }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .last("write \(path)") }
      rest = rest.dropFirst(count)
    }
    guard !isDurable || fsync(descriptor) == 0 else { throw .last("sync \(path)") }
  }

  /// Makes the content of a file, or the entries of a folder, last.
  package static func sync(_ path: String) throws(HostError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .last("open \(path)") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .last("sync \(path)") }
  }
}
