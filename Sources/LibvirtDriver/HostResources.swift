import Core
import Foundation
import PrivateFiles

/// The capacity of this host.
enum HostResources {
  static func capacity(
    dataDirectory: String, overcommitment: LibvirtDriver.Configuration.Overcommitment
  ) throws -> HostCapacity {
    let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))
    let memoryMiB = Int(sysconf(Int32(_SC_PHYS_PAGES))) / 1024 * pageSize / 1024
    var fileSystem = statvfs()
    guard statvfs(dataDirectory, &fileSystem) == 0 else { throw HostError.last("look at \(dataDirectory)") }
    let storageGiB = Double(fileSystem.f_blocks) * Double(fileSystem.f_frsize) / Double(1 << 30)
    return HostCapacity(
      vcpus: Int(Double(ProcessInfo.processInfo.activeProcessorCount) * overcommitment.vcpus),
      memoryMiB: Int(Double(memoryMiB - reserveMiB(of: memoryMiB)) * overcommitment.memory),
      storageGiB: Int(storageGiB * overcommitment.storage))
  }

  /// Memory kept for the host itself, this service, and what QEMU takes beside the guests' memory.
  static func reserveMiB(of memoryMiB: Int) -> Int {
    min(memoryMiB / 2, max(1024, memoryMiB / 8))
  }
}
