import CLibvirt
import Core
import Foundation
import HostPrograms
import PrivateFiles

/// Saves a machine's memory and devices to a file and loads them from it, by QEMU's own migration: libvirt's calls support that
/// only for a machine that stays the same.
extension Domain {
  /// Stops the machine and writes its whole state except its disk.
  func saveMemory(to path: String, within limit: Duration) throws {
    try check(virDomainSuspend(pointer), "suspend")
    try PrivateFile.create(new: path, [])
    let file = open(path, O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { throw HostError.last("open \(path)") }
    defer { close(file) }
    try hand(file, as: "memory")
    // By default QEMU limits the rate, as for a network.
    try tell("migrate-set-parameters", ["max-bandwidth": .number(1 << 40)])
    try tell("migrate", ["uri": .text("fd:memory")])
    try awaitMigration(until: .now + limit)
  }

  /// For a machine that was started with `-incoming` and is paused.
  func loadMemory(from file: Int32, until deadline: ContinuousClock.Instant) throws {
    try hand(file, as: "memory")
    try tell("migrate-incoming", ["uri": .text("fd:memory")])
    try awaitMigration(until: deadline)
  }

  /// A connection to the program in the guest that waits for an identity.
  func openIdentityChannel() throws -> IdentityChannel {
    try IdentityChannel { descriptor in
      try hand(descriptor, as: "identity")
      let address = MonitorValue.object(["type": .text("fd"), "data": .object(["str": .text("identity")])])
      let backend = MonitorValue.object([
        "type": .text("socket"), "data": .object(["addr": address, "server": .truth(false)]),
      ])
      try tell("chardev-change", ["id": .text(IdentityPort.name), "backend": backend])
    }
  }

  private func awaitMigration(until deadline: ContinuousClock.Instant) throws {
    while deadline.remainingMilliseconds != nil {
      let answer = try ask("query-migrate")
      let migration = try? JSONDecoder().decode(MonitorAnswer<Migration>.self, from: Data(answer.utf8)).return
      switch migration?.status {
      case "completed": return
      case "failed", "cancelled":
        let reason = String((migration?.reason ?? answer).prefix(300))
        throw DriverError(
          reason.contains("No space left on device") ? .exhausted : .unreachable,
          "the memory of \(name) was not moved: \(reason)")
      default: poll(nil, 0, 5)
      }
    }
    throw DriverError(.unreachable, "the memory of \(name) was not moved in time")
  }

  private func hand(_ descriptor: Int32, as name: String) throws {
    try tell("getfd", ["fdname": .text(name)], with: descriptor)
  }

  private func tell(_ command: String, _ arguments: [String: MonitorValue] = [:], with file: Int32? = nil) throws {
    let answer = try ask(command, arguments, with: file)
    let decoded = try? JSONDecoder().decode(MonitorAnswer<MonitorNothing>.self, from: Data(answer.utf8))
    guard decoded?.return != nil else {
      throw DriverError(.unreachable, "\(name) answered \(command) with \(answer.prefix(300))")
    }
  }

  private func ask(
    _ command: String, _ arguments: [String: MonitorValue] = [:], with file: Int32? = nil
  ) throws -> String {
    let json = String(
      decoding: try JSONEncoder().encode(MonitorCommand(execute: command, arguments: arguments)), as: UTF8.self)
    var files = file.map { [$0] } ?? []
    var answer: UnsafeMutablePointer<CChar>?
    let result = virDomainQemuMonitorCommandWithFiles(
      pointer, json, UInt32(files.count), &files, nil, nil, &answer, 0)
    guard result == 0, let answer else { throw LibvirtError.last("\(command) of \(name)") }
    defer { free(answer) }
    return String(cString: answer)
  }
}

private struct MonitorCommand: Encodable {
  let execute: String
  let arguments: [String: MonitorValue]
}

private enum MonitorValue: Encodable {
  case text(String)
  case number(Int)
  case truth(Bool)
  case object([String: MonitorValue])

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .text(let text): try container.encode(text)
    case .number(let number): try container.encode(number)
    case .truth(let truth): try container.encode(truth)
    case .object(let object): try container.encode(object)
    }
  }
}

private struct MonitorAnswer<Value: Decodable>: Decodable {
  let `return`: Value?
}

private struct MonitorNothing: Decodable {
  init(from decoder: any Decoder) {}
}

private struct Migration: Decodable {
  enum CodingKeys: String, CodingKey {
    case status
    case reason = "error-desc"
  }

  let status: String?
  let reason: String?
}
