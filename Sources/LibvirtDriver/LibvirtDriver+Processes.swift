package import Foundation
import HostPrograms

extension LibvirtDriver {
  /// The QEMU processes that use disks of this installation, by machine, found among the host's processes without libvirt.
  package func processes() async throws -> [UUID: pid_t] {
    let root = ServerFiles.root(configuration.dataDirectory) + "/"
    return try await onFiles("look at the host's processes") {
      var found: [UUID: pid_t] = [:]
      let inMaking = try templates.inMaking()
      for process in try HostProcess.all() where process.isEmulator {
        guard let argument = process.arguments.first(where: { $0.contains(root) }),
          let start = argument.range(of: root)?.upperBound,
          let machine = UUID(uuidString: String(argument[start...].prefix(36))), !inMaking.contains(machine)
        else { continue }
        found[machine] = process.id
      }
      return found
    }
  }
}
