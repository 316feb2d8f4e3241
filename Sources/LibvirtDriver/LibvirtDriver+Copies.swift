package import Core
package import Foundation

extension LibvirtDriver {
  package func ensureCopied(_ machine: UUID, as copy: UUID) async throws -> CopyProgress {
    throw DriverError(.rejected, "copies of disks are not made yet")
  }

  package func ensureRestored(_ machine: UUID, from copy: UUID, checksum: String) async throws -> RestoreProgress {
    throw DriverError(.rejected, "copies of disks are not restored yet")
  }

  package func ensureCopyAbsent(_ copy: UUID, of machine: UUID) async throws {
    throw DriverError(.rejected, "copies of disks are not made yet")
  }

  package func ensureDiskAbsent(_ machine: UUID) async throws {
    throw DriverError(.rejected, "disks are not removed yet")
  }
}
