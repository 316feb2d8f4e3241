import Core
import Foundation
import HostImages
import HostPrograms
import PrivateFiles

/// A server's disk: a sparse overlay over an image that is never changed. Everything here blocks.
struct Disk {
  let path: String

  private static let toolLimit: Duration = .seconds(60)

  /// Makes the disk where there is none; one that exists is never replaced, whatever is in it.
  func create(image: String, sizeBytes: Int64) throws {
    try Self.requireFit(image, in: sizeBytes)
    try complete { temporary in
      HostProgram(
        "qemu-img", ["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", image, temporary, String(sizeBytes)])
    }
  }

  /// The same, with the content of another disk of the same image.
  func copy(_ other: String) throws {
    try complete { temporary in HostProgram("cp", ["--reflink=auto", "--sparse=always", other, temporary]) }
  }

  /// - Parameter writer: The program that writes a file at a path. What it leaves if it fails would take the room of the next try.
  private func complete(_ writer: (String) -> HostProgram) throws {
    let temporary = path + ".new"
    unlink(temporary)
    defer { unlink(temporary) }
    try writer(temporary).run(within: Self.toolLimit)
    guard chmod(temporary, 0o600) == 0 else { throw HostError.last("chmod \(temporary)") }
    try PrivateFile.sync(temporary)
    // Unlike a rename, a link fails if another call has made the disk meanwhile.
    guard link(temporary, path) == 0 || errno == EEXIST else { throw HostError.last("link \(path)") }
    try MachineFiles.syncDirectory(of: path)
  }

  /// Throws where no disk of this size can be made from the image.
  static func requireFit(_ image: String, in sizeBytes: Int64) throws {
    try requireWhole(image)
    guard try QCOW2Header(path: image).virtualSizeBytes <= sizeBytes else {
      throw DriverError(
        .rejected, "\(image) does not fit in \(sizeBytes) bytes",
        customerReason: "The operating system does not fit on the plan's disk.")
    }
  }

  /// A truncated image opens without an error, but its servers would never boot. The check reads no guest data, so it is quick.
  private static func requireWhole(_ image: String) throws {
    do {
      try HostProgram("qemu-img", ["check", "-q", "-U", "-f", "qcow2", image])
        .run(within: toolLimit)
    } catch let error as DriverError where error.kind == .rejected {
      throw DriverError(
        .rejected, "\(image) is damaged: \(error.detail.prefix(500))",
        customerReason: "The image of the operating system cannot be read.")
    }
  }

  /// An upper bound for the size of a standalone copy: what the disk and its image take together.
  func contentBytes() throws -> Int64 {
    let image = try QCOW2Header(path: path).backingFile
    return try MachineFiles.allocatedBytes(of: path) + (image.map(MachineFiles.allocatedBytes) ?? 0)
  }

  /// Makes the existing file `copy` an empty image of this disk's size, as the user who owns that file.
  func makeEmptyCopy(_ copy: String) throws {
    let size = try QCOW2Header(path: path).virtualSizeBytes
    try HostProgram(
      "qemu-img", ["create", "-q", "-f", "qcow2", copy, String(size)], user: FileOwner(of: copy)
    ).run(within: Self.toolLimit)
  }

  /// The virtual size of a server's own disk, which its guest sees.
  var sizeBytes: Int64 {
    get throws {
      do {
        return try QCOW2Header(path: path).virtualSizeBytes
      } catch let error as DriverError where error.kind == .rejected {
        throw DriverError(.rejected, error.detail, customerReason: "The server's disk cannot be read.")
      }
    }
  }

  /// Never shrinks. The machine must be off, which QEMU's lock on the disk enforces.
  func grow(to sizeBytes: Int64) throws {
    guard try self.sizeBytes < sizeBytes else { return }
    try HostProgram(
      "qemu-img", ["resize", "-q", "-f", "qcow2", path, String(sizeBytes)],
      user: FileOwner(of: path)
    ).run(within: Self.toolLimit)
  }
}
