package import Core
package import Foundation
import HostImages
import HostNetwork
import PrivateFiles

/// A rescue system that a machine starts instead of its own.
extension LibvirtDriver {
  /// Makes the files of the rescue system beside those of the machine itself.
  func prepare(_ rescue: RescueSpecification, _ files: ServerFiles, for specification: MachineSpecification)
    throws
  {
    if !MachineFiles.exists(files.rescueDisk) {
      guard rescue.mayCreateDisk else {
        throw DriverError(
          .notFound, "there is no file \(files.rescueDisk)", customerReason: "The disk of the rescue system is missing."
        )
      }
      try Disk(path: files.rescueDisk).create(
        image: try image(of: rescue), sizeBytes: Int64(rescue.storageGiB) << 30)
    }
    let seed = Seed(
      specification: specification, network: network.guestNetwork(of: specification.interface), rescue: rescue)
    try PrivateFile.write(seed.archive, to: files.rescueSeed)
  }

  /// Throws where the image is none of ours, cannot be read, or does not fit on the rescue disk.
  private func image(of rescue: RescueSpecification) throws -> String {
    let image = try images.diskPath(of: rescue.imageName, version: rescue.imageVersion)
    let properties = try images.description(of: rescue.imageName, version: rescue.imageVersion).properties
    guard properties.seedFormat == .vpsd, properties.firmware == .bios else {
      throw DriverError(
        .rejected, "\(rescue.imageName) is no image of ours", customerReason: "The rescue system cannot be run here.")
    }
    do {
      try Disk.requireFit(image, in: Int64(rescue.storageGiB) << 30)
    } catch let error as DriverError where error.kind == .rejected {
      // The rescue image is no operating system of the customer's, so the reason names the rescue system.
      throw DriverError(.rejected, error.detail, customerReason: "The rescue system cannot be run here.")
    }
    return image
  }

  /// More than a rescue system writes while it boots.
  private static let roomForRescue: Int64 = 256 << 20

  package func requireRescuable(_ machine: UUID, by rescue: RescueSpecification) async throws {
    let files = files(of: machine)
    try await onFiles("look whether it can be rescued") {
      guard MachineFiles.exists(files.disk) else { throw Self.missingDisk(files) }
      _ = try DiskRecord.read(files.diskRecord)
      _ = try Disk(path: files.disk).sizeBytes
      _ = try image(of: rescue)
      let free = try MachineFiles.freeBytes(at: files.folder)
      guard free >= Self.roomForRescue else {
        throw DriverError(
          .exhausted, "\(free) bytes are free at \(files.folder)",
          customerReason: "The server's host has no room for the rescue system at the moment.")
      }
    }
  }
}
