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

  /// Whether the host is idle and has this much memory available.
  static func isIdle(withMemoryMiB memoryMiB: Int) -> Bool {
    var load = 0.0
    guard getloadavg(&load, 1) == 1, load < Double(ProcessInfo.processInfo.activeProcessorCount),
      let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }),
      let kibibytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else { return false }
    return kibibytes / 1024 >= memoryMiB
  }

  /// Memory kept for the host itself, this service, and what QEMU takes beside the guests' memory.
  static func reserveMiB(of memoryMiB: Int) -> Int {
    min(memoryMiB / 2, max(1024, memoryMiB / 8))
  }
}
