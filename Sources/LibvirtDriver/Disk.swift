import Core
import Foundation

/// A server's disk: a sparse overlay over an image that is never touched again. Everything here blocks.
struct Disk {
  let path: String

  private static let toolLimit: Duration = .seconds(60)

  /// The size in bytes that the guest sees, from the header of a qcow2 file.
  static func virtualSize(of path: String) throws -> Int64 {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw HostError.last("open \(path)") }
    defer { close(descriptor) }
    var header = [UInt8](repeating: 0, count: 32)
    guard read(descriptor, &header, header.count) == header.count, header.starts(with: [0x51, 0x46, 0x49, 0xFB]) else {
      throw DriverError(.rejected, "\(path) is not a qcow2 image")
    }
    let size = header[24..<32].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int64(clamping: size)
  }

  /// Makes the disk where there is none; one that exists is never replaced, whatever is in it.
  func create(image: String, sizeBytes: Int64) throws {
    try Self.requireWhole(image)
    guard try Self.virtualSize(of: image) <= sizeBytes else {
      throw DriverError(
        .rejected, "\(image) does not fit in \(sizeBytes) bytes",
        customerReason: "The operating system does not fit on the plan's disk.")
    }
    let temporary = path + ".new"
    unlink(temporary)
    defer { unlink(temporary) }
    try HostCommand(
      program: "qemu-img",
      arguments: ["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", image, temporary, String(sizeBytes)]
    ).run(within: Self.toolLimit)
    guard chmod(temporary, 0o600) == 0 else { throw HostError.last("chmod \(temporary)") }
    try MachineFiles.sync(temporary)
    // Unlike a rename, a link fails where another call was faster.
    guard link(temporary, path) == 0 || errno == EEXIST else { throw HostError.last("link \(path)") }
    try MachineFiles.syncDirectory(of: path)
  }

  /// One that is cut off opens without an error, and its servers would never boot. This reads no data, so it is quick.
  private static func requireWhole(_ image: String) throws {
    do {
      _ = try virtualSize(of: image)
      try HostCommand(program: "qemu-img", arguments: ["check", "-q", "-U", "-f", "qcow2", image]).run(
        within: toolLimit)
    } catch let error as DriverError where error.kind == .rejected {
      throw DriverError(
        .rejected, "\(image) is damaged: \(error.detail.prefix(500))",
        customerReason: "The image of the operating system cannot be read.")
    }
  }

  /// Never shrinks. The machine must be off: QEMU's lock on the disk sees to that.
  func grow(to sizeBytes: Int64) throws {
    let size: Int64
    do {
      size = try Self.virtualSize(of: path)
    } catch let error as DriverError where error.kind == .rejected {
      throw DriverError(.rejected, error.detail, customerReason: "The server's disk cannot be read.")
    }
    guard size < sizeBytes else { return }
    try HostCommand(program: "qemu-img", arguments: ["resize", "-q", "-f", "qcow2", path, String(sizeBytes)])
      .run(within: Self.toolLimit)
  }
}
