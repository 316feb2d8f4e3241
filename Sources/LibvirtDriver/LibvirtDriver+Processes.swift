package import Foundation

extension LibvirtDriver {
  /// The QEMUs on the disks of this installation, by machine, told from the host's processes and not by libvirt.
  package func processes() async throws -> [UUID: pid_t] {
    let root = ServerFiles.root(configuration.dataDirectory) + "/"
    return try await onFiles("look at the host's processes") {
      var found: [UUID: pid_t] = [:]
      for process in try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap({ pid_t($0) }) {
        // One that has ended meanwhile has nothing to read any more.
        guard let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { continue }
        let arguments = String(decoding: line, as: UTF8.self)
        guard arguments.contains("qemu-system"), let start = arguments.range(of: root)?.upperBound,
          let machine = UUID(uuidString: String(arguments[start...].prefix(36)))
        else { continue }
        found[machine] = process
      }
      return found
    }
  }
}
