import Core
import Foundation

/// Disks, and the images that they are made of.
extension SimulatedDriver {
  func makeDisk(
    for specification: MachineSpecification, in state: State
  ) throws(DriverError) -> SimulatedMachine.Disk {
    guard specification.mayCreateDisk else { throw Self.missingDisk(specification.machine) }
    try Self.requireImage(specification.imageName, storageGiB: specification.storageGiB, in: state.options)
    guard specification.imageVersion == Self.imageVersion else {
      throw Self.noImage("\(specification.imageName) \(specification.imageVersion)")
    }
    guard try !state.kept().machines.isForeign(specification.machine) else {
      throw DriverError(.rejected, "Machine \(specification.machine) belongs to another installation.")
    }
    return SimulatedMachine.Disk(specification, at: clock.now)
  }

  func makeDisk(
    for rescue: RescueSpecification, of machine: SimulatedMachine, _ options: Options
  ) throws(DriverError) -> SimulatedMachine.Disk {
    guard rescue.mayCreateDisk else { throw Self.missingDisk(machine.uuid) }
    try Self.requireImage(rescue.imageName, storageGiB: rescue.storageGiB, in: options)
    guard rescue.imageVersion == Self.imageVersion else {
      throw Self.noImage("\(rescue.imageName) \(rescue.imageVersion)")
    }
    return SimulatedMachine.Disk(rescue, at: clock.now)
  }

  /// Other hosts can have the disk of a machine that has shut down, as soon as somebody was told that it has.
  func closeDisk(of machine: SimulatedMachine, in state: inout State) throws(DriverError) {
    guard state.folders?.disks != nil else { return }
    var settled = machine
    settled.settle(at: clock.now, state.options.durations)
    try save(settled, in: &state)
  }

  static func missingDisk(_ machine: UUID) -> DriverError {
    DriverError(
      .notFound, "The disk of \(machine) is missing.", customerReason: "The disk of this server is missing.")
  }

  static func requireImage(_ name: String, storageGiB: Int, in options: Options) throws(DriverError) {
    guard options.images.contains(name) else { throw noImage(name) }
    guard storageGiB >= options.imageStorageGiB else {
      throw DriverError(
        .rejected, "The image \(name) does not fit in \(storageGiB) GiB.",
        customerReason: "The operating system does not fit on the plan's disk.")
    }
  }

  private static func noImage(_ name: String) -> DriverError {
    DriverError(
      .notFound, "There is no image \(name).",
      customerReason: "No image for this operating system is installed on this host. "
        + "Choose another operating system, or ask the operator to install it.")
  }
}
