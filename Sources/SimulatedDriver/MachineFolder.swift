import Core
import Foundation

/// The folder of the simulated host: one JSON file a machine. Several installations can share it.
struct MachineFolder: Sendable {
  private let folder: URL
  private let installation: UUID

  init(dataDirectory: URL, installation: UUID) throws(DriverError) {
    folder = dataDirectory.appendingPathComponent("simulated/machines", isDirectory: true)
    self.installation = installation
    do {
      try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw DriverError(.rejected, "Cannot make the folder \(folder.path): \(error)")
    }
  }

  /// The machines that bear our mark. A file that cannot be read bears none.
  func load() throws(DriverError) -> [UUID: SimulatedMachine] {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    } catch {
      throw DriverError(.rejected, "Cannot list the folder \(folder.path): \(error)")
    }
    var machines: [UUID: SimulatedMachine] = [:]
    for name in names where name.hasSuffix(".json") {
      guard let uuid = UUID(uuidString: String(name.dropLast(5))), let machine = read(uuid),
        machine.installation == installation
      else { continue }
      machines[uuid] = machine
    }
    return machines
  }

  /// Whether the machine's file is there and bears another mark than ours.
  func isForeign(_ machine: UUID) -> Bool {
    read(machine).map { $0.installation != installation } ?? false
  }

  func write(_ machine: SimulatedMachine) throws(DriverError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let new = newFile(of: machine.uuid)
    do {
      try encoder.encode(machine).write(to: new)
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: new.path)
    } catch {
      throw DriverError(.exhausted, "Cannot write \(new.path): \(error)")
    }
    guard rename(new.path, file(of: machine.uuid).path) == 0 else {
      throw DriverError(.exhausted, "Cannot rename \(new.path): \(String(cString: strerror(errno)))")
    }
  }

  func remove(_ machine: UUID) throws(DriverError) {
    for path in [newFile(of: machine).path, file(of: machine).path] {
      guard unlink(path) == 0 || errno == ENOENT else {
        throw DriverError(.rejected, "Cannot remove \(path): \(String(cString: strerror(errno)))")
      }
    }
  }

  private func read(_ uuid: UUID) -> SimulatedMachine? {
    guard let data = try? Data(contentsOf: file(of: uuid)),
      let machine = try? JSONDecoder().decode(SimulatedMachine.self, from: data), machine.uuid == uuid
    else { return nil }
    return machine
  }

  private func file(of machine: UUID) -> URL {
    folder.appendingPathComponent("\(machine.uuidString.lowercased()).json")
  }

  private func newFile(of machine: UUID) -> URL {
    folder.appendingPathComponent("\(machine.uuidString.lowercased()).json.new")
  }
}
