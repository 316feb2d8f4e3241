import Core
import Foundation

/// The guest images on this host: `NAME/VERSION/disk.qcow2`, and `NAME/current`, a link to the version for new servers.
/// A version is never changed once it is there: disks build on it.
struct ImageStore: Sendable {
  let directory: String

  func currentVersion(of name: String) throws -> String {
    try check(name)
    let link = "\(directory)/\(name)/current"
    guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: link) else {
      throw missing("there is no link \(link)")
    }
    let version = (target as NSString).lastPathComponent
    _ = try diskPath(of: name, version: version)
    return version
  }

  func diskPath(of name: String, version: String) throws -> String {
    try check(name)
    try check(version)
    let path = "\(directory)/\(name)/\(version)/disk.qcow2"
    guard MachineFiles.exists(path) else { throw missing("there is no file \(path)") }
    return path
  }

  /// Names are parts of paths.
  private func check(_ component: String) throws {
    let isFit = !component.isEmpty && component.first != "." && !component.contains("/") && !component.contains("\0")
    if !isFit { throw missing("\"\(component)\" is no name of an image or version") }
  }

  private func missing(_ detail: String) -> DriverError {
    DriverError(.notFound, detail, customerReason: "The image of the operating system is not available.")
  }
}
