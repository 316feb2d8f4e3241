import CLibvirt
import Core
import Foundation
import Testing

@testable import LibvirtDriver

/// Against libvirt's own mock: each connection to `test:///default` is a host of its own, with one domain that runs.
@Suite("libvirt's answers")
struct MockConnectionTests {
  private let connection: Connection

  init() throws {
    connection = try Connection(uri: "test:///default")
  }

  private func define(_ machine: UUID, mark: MachineMark?) throws -> Domain {
    try connection.define(
      Markup(
        "domain", ["type": "test"],
        [
          Markup("name", text: "vpsd-\(machine.text)"), Markup("uuid", text: machine.text),
          Markup("metadata", [:], mark.map { [$0.markup] } ?? []), Markup("memory", ["unit": "MiB"], text: "64"),
          Markup("os", [:], [Markup("type", text: "hvm")]),
        ]
      ).rendered)
  }

  @Test("A domain's power follows what is done to it")
  func power() throws {
    let domain = try define(UUID(), mark: nil)
    #expect(try domain.state().power == .off(.other))
    #expect(domain.runID == nil)
    try domain.start()
    #expect(try domain.state().power == .running)
    try domain.destroy()
    #expect(try domain.state().power == .off(.other))
  }

  @Test("Only domains with this installation's mark are ours")
  func ownership() throws {
    let (installation, ours, foreign, unmarked) = (UUID(), UUID(), UUID(), UUID())
    let address = IPv4Address(number: 0x7F50_000B)
    let mark = MachineMark(installation: installation, label: "server-1", address: address, sshPort: 22)
    #expect(try define(ours, mark: mark).mark() == mark)
    _ = try define(
      foreign, mark: MachineMark(installation: UUID(), label: "server-1", address: address, sshPort: 22))
    _ = try define(unmarked, mark: nil)

    let ownership = Ownership(installation: installation)
    for _ in 1...2 {
      let owned = try ownership.filter(connection.statistics())
      #expect(Set(owned.keys) == [ours])
    }
    #expect(try ownership.domain(ours, on: connection)?.uuid == ours)
    #expect(try ownership.domain(UUID(), on: connection) == nil)
    #expect(throws: DriverError.self) { try ownership.domain(foreign, on: connection) }
    #expect(throws: DriverError.self) { try ownership.domain(unmarked, on: connection) }
  }

  @Test("What libvirt refuses says whether trying again helps")
  func refusals() throws {
    let error = #expect(throws: LibvirtError.self) { try connection.define("<domain type='test'><oops/></domain>") }
    #expect(error?.driverError.kind == .rejected)
    let domain = try define(UUID(), mark: nil)
    let off = #expect(throws: LibvirtError.self) { try domain.destroy() }
    #expect(off?.driverError.kind == .busy)
    // The mock knows neither saved states nor firmware variables.
    let unsupported = #expect(throws: LibvirtError.self) { try domain.undefine() }
    #expect(unsupported?.driverError.kind == .rejected)
    #expect(unsupported?.message.contains("flags") == true)
  }

  @Test(
    "What QEMU says in words is understood",
    arguments: [
      ("qemu-system-x86_64: -netdev user: Could not set up host forwarding rule 'tcp:1.2.3.4:22-:22'", "exhausted"),
      ("cannot set up guest memory 'pc.ram': Cannot allocate memory", "exhausted"),
      ("Failed to get \"write\" lock", "busy"),
      ("Could not open '/d/disk.qcow2': Image is not in qcow2 format", "rejected"),
      ("something new", "unreachable"),
    ])
  func complaints(message: String, kind: String) {
    let error = LibvirtError(call: "start", code: VIR_ERR_INTERNAL_ERROR.rawValue, message: message)
    #expect(error.driverError.kind.rawValue == kind)
  }

  @Test("A code that says what happened is believed, and not the words beside it")
  func codes() {
    let busy = LibvirtError(
      call: "start", code: VIR_ERR_OPERATION_INVALID.rawValue, message: "/a/No space left on device/Failed to get lock")
    #expect(busy.driverError.kind == .busy)
    // In whatever language.
    for (number, kind) in [(ENOSPC, DriverError.Kind.exhausted), (EIO, .unreachable)] {
      let failed = LibvirtError(
        call: "start", code: VIR_ERR_SYSTEM_ERROR.rawValue, message: "Es geht nicht", number: number)
      #expect(failed.driverError.kind == kind)
    }
  }

  @Test(
    "Every state of a domain has a meaning",
    arguments: [
      (VIR_DOMAIN_RUNNING.rawValue, UInt32(0), MachinePower.running),
      (VIR_DOMAIN_PAUSED.rawValue, VIR_DOMAIN_PAUSED_IOERROR.rawValue, .paused),
      (VIR_DOMAIN_PAUSED.rawValue, VIR_DOMAIN_PAUSED_STARTING_UP.rawValue, .running),
      (VIR_DOMAIN_SHUTDOWN.rawValue, 0, .running),
      (VIR_DOMAIN_SHUTOFF.rawValue, VIR_DOMAIN_SHUTOFF_SHUTDOWN.rawValue, .off(.guestShutdown)),
      (VIR_DOMAIN_SHUTOFF.rawValue, VIR_DOMAIN_SHUTOFF_DESTROYED.rawValue, .off(.other)),
      (VIR_DOMAIN_SHUTOFF.rawValue, VIR_DOMAIN_SHUTOFF_CRASHED.rawValue, .off(.other)),
      (VIR_DOMAIN_SHUTOFF.rawValue, VIR_DOMAIN_SHUTOFF_UNKNOWN.rawValue, .off(.other)),
      (VIR_DOMAIN_CRASHED.rawValue, 0, .off(.other)),
      (VIR_DOMAIN_NOSTATE.rawValue, 0, .unknown),
      (1000, 0, .unknown),
    ])
  func states(state: UInt32, reason: UInt32, power: MachinePower) {
    #expect(DomainState(state: Int32(state), reason: Int32(reason)).power == power)
  }
}
