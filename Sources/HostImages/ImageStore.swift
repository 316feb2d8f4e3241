package import Core
import Foundation
import PrivateFiles

/// The guest images on this host: `NAME/VERSION/disk.qcow2`, and `NAME/current`, a link to the version for new servers.
/// A version is never changed once it is there: disks build on it.
package struct ImageStore: Sendable {
  package let directory: String

  package init(directory: String) {
    self.directory = directory
  }

  /// Makes the folder where it does not exist. QEMU's users must be able to enter it, whatever the umask is.
  package func makeDirectory() throws {
    if access(directory, F_OK) == 0 { return }
    do {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    } catch {
      throw ImageRefusal.failed("\(directory) cannot be made: \(error.localizedDescription)")
    }
    guard chmod(directory, 0o755) == 0 else { throw HostError.last("chmod \(directory)") }
  }

  /// Sorted; empty where there is no such folder.
  package var names: [String] { Self.folders(in: directory) }

  /// Sorted.
  package func versions(of name: String) -> [String] {
    Self.folders(in: folder(of: name)).filter { $0 != Self.link }
  }

  /// Throws `notFound` where the image has no current version, or that has no disk.
  package func currentVersion(of name: String) throws(DriverError) -> String {
    try check(name)
    let link = linkPath(of: name)
    guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: link) else {
      throw missing("there is no link \(link)")
    }
    let version = (target as NSString).lastPathComponent
    _ = try diskPath(of: name, version: version)
    return version
  }

  package func diskPath(of name: String, version: String) throws(DriverError) -> String {
    try check(name)
    try check(version)
    let path = "\(folder(of: name, version: version))/disk.qcow2"
    guard access(path, F_OK) == 0 else { throw missing("there is no file \(path)") }
    return path
  }

  /// The stored description of a version; the properties of our own images where none is stored.
  package func description(of name: String, version: String) throws(DriverError) -> ImageDescription {
    _ = try diskPath(of: name, version: version)
    let path = "\(folder(of: name, version: version))/image.json"
    guard let data = FileManager.default.contents(atPath: path) else {
      return ImageDescription(name: name, version: version)
    }
    do {
      return try JSONDecoder().decode(ImageDescription.self, from: data)
    } catch {
      throw missing("\(path) cannot be read: \(error)")
    }
  }

  /// Nil where there is no disk.
  package func sizeBytes(of name: String, version: String) -> Int64? {
    guard let path = try? diskPath(of: name, version: version) else { return nil }
    var status = stat()
    return stat(path, &status) == 0 ? Int64(status.st_size) : nil
  }

  static let link = "current"

  func linkPath(of name: String) -> String { "\(folder(of: name))/\(Self.link)" }
  func folder(of name: String) -> String { "\(directory)/\(name)" }
  func folder(of name: String, version: String) -> String { "\(directory)/\(name)/\(version)" }

  /// Leaves out folders of unfinished work, whose names begin with a dot.
  private static func folders(in path: String) -> [String] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return entries.sorted().filter { entry in
      var isDirectory: ObjCBool = false
      return !entry.hasPrefix(".")
        && FileManager.default.fileExists(atPath: "\(path)/\(entry)", isDirectory: &isDirectory)
        && isDirectory.boolValue
    }
  }

  /// Names become parts of paths.
  private func check(_ component: String) throws(DriverError) {
    let isFit = !component.isEmpty && component.first != "." && !component.contains("/") && !component.contains("\0")
    if !isFit { throw missing("\"\(component)\" is no name of an image or version") }
  }

  private func missing(_ detail: String) -> DriverError {
    DriverError(.notFound, detail, customerReason: "The image of the operating system is not available.")
  }
}
