import Core
import Foundation
import HostPrograms
import Logging
import PrivateFiles
import Synchronization

/// What is known of servers' links, each in a file of its server's folder.
struct LinkFiles: Sendable {
  let root: String
  let logger: Logger
  /// What was read or written last: for callers that must not block, and for moments in which a file cannot be read.
  private let known = LastKnown()

  init(root: String, logger: Logger) {
    (self.root, self.logger) = (root, logger)
  }

  /// Does not block.
  func lastKnown(of machine: UUID) -> RoutedInterface? { known.interfaces.withLock { $0[machine] } }

  /// Serialises changes: addresses and firewall of a server are in one file, but are changed separately.
  func inTurn<Value>(_ body: () throws -> Value) rethrows -> Value { try known.turn.withLock { _ in try body() } }

  private func folder(of machine: UUID) -> String { "\(root)/\(machine.text)" }
  private func file(of machine: UUID) -> String { "\(folder(of: machine))/network.json" }
  func trafficAtStart(of machine: UUID) -> String { "\(folder(of: machine))/traffic-at-start" }

  func stored() throws -> [UUID: RoutedInterface] {
    var interfaces: [UUID: RoutedInterface] = [:]
    for machine in try machines() {
      do {
        interfaces[machine] = try stored(of: machine)
      } catch {
        logger.error("the network of a server cannot be read: \(error)", metadata: ["machine": "\(machine.text)"])
        interfaces[machine] = known.interfaces.withLock { $0[machine] }
      }
    }
    let read = interfaces
    known.interfaces.withLock { $0 = read }
    return interfaces
  }

  private func machines() throws -> [UUID] {
    // An unreadable folder must not look like one without servers.
    guard access(root, R_OK | X_OK) == 0 else {
      if errno == ENOENT { return [] }
      throw HostError.last("look at \(root)").driverError
    }
    do {
      return try FileManager.default.contentsOfDirectory(atPath: root).compactMap(UUID.init(uuidString:))
    } catch {
      throw DriverError(.unreachable, "\(root) cannot be listed: \(error)")
    }
  }

  func stored(of machine: UUID) throws -> RoutedInterface? {
    let file = file(of: machine)
    guard access(file, R_OK) == 0 else {
      if errno == ENOENT { return nil }
      throw HostError.last("read \(file)").driverError
    }
    guard let data = FileManager.default.contents(atPath: file) else {
      throw DriverError(.rejected, "\(file) cannot be read")
    }
    do {
      return try JSONDecoder().decode(RoutedInterface.self, from: data)
    } catch {
      throw DriverError(.rejected, "\(file): \(error)")
    }
  }

  func store(_ interface: RoutedInterface, of machine: UUID) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    if access(folder(of: machine), F_OK) != 0 {
      try FileManager.default.createDirectory(
        atPath: folder(of: machine), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      try PrivateFile.sync(root)
    }
    try PrivateFile.write(try encoder.encode(interface), to: file(of: machine))
    known.interfaces.withLock { $0[machine] = interface }
  }

  func remove(_ machine: UUID) throws {
    for path in [trafficAtStart(of: machine), file(of: machine)] where unlink(path) != 0 && errno != ENOENT {
      throw HostError.last("remove \(path)").driverError
    }
    known.interfaces.withLock { $0[machine] = nil }
    // Where the server has other files, its folder is the driver's to remove.
    rmdir(folder(of: machine))
  }
}

private final class LastKnown: Sendable {
  let turn = Mutex(())
  let interfaces = Mutex<[UUID: RoutedInterface]>([:])
}
