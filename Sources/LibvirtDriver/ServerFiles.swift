import Foundation

/// Where the files of one server are.
struct ServerFiles: Equatable {
  let folder: String

  init(dataDirectory: String, machine: UUID) {
    self.folder = "\(Self.root(dataDirectory))/\(machine.text)"
  }

  static func root(_ dataDirectory: String) -> String { "\(dataDirectory)/servers" }

  var disk: String { "\(folder)/disk.qcow2" }
  var seed: String { "\(folder)/seed.tar" }
  var console: String { "\(folder)/console.log" }

  /// The machines that have a folder.
  static func machines(dataDirectory: String) throws -> Set<UUID> {
    let root = root(dataDirectory)
    guard MachineFiles.exists(root) else { return [] }
    do {
      return Set(try FileManager.default.contentsOfDirectory(atPath: root).compactMap(UUID.init(uuidString:)))
    } catch {
      throw HostError(call: "list \(root)", number: EIO)
    }
  }

  /// A guest may write to its console without end. QEMU appends, so it goes on at the beginning.
  func trimConsole() {
    if let size = try? MachineFiles.size(of: console), size > 1 << 20 { truncate(console, 0) }
  }
}
