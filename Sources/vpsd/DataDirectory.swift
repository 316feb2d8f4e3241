import Foundation

/// Everything that vpsd keeps on a machine is below one directory that nobody else may enter.
struct DataDirectory: Sendable {
  let path: String

  init(_ url: URL) {
    path = url.path
  }

  var database: String { path + "/vpsd.sqlite" }
  var token: String { path + "/token" }
  var lock: String { path + "/vpsd.lock" }

  func ensureExists() throws {
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }
}

/// Writes a file that only its owner may read, whole or not at all.
func writePrivately(_ text: String, to path: String) throws {
  let temporary = path + ".new"
  unlink(temporary)
  let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
  guard descriptor >= 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
  let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  try handle.write(contentsOf: Data(text.utf8))
  try handle.synchronize()
  try handle.close()
  guard rename(temporary, path) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
}
