import Core
import Foundation
import HostPrograms
import TestSupport
import Testing

@testable import LibvirtDriver

/// Real machines, from an image `debian-12` in VPSD_IMAGE_DIR whose recipe supports templates. They share one template.
@Suite("A machine from a template", .serialized, .timeLimit(.minutes(20)))
struct InstantMachineTests {
  private static let isLong = ProcessInfo.processInfo.environment["VPSD_LONG_TESTS"] != nil
  private static let atOnce = isLong ? 10 : 5
  private static let clones = isLong ? 50 : 5

  @Test("Five, or fifty, have nothing twice; any doubt about the template ends in a boot; nothing is left")
  func clones() async throws {
    try await PrivateHost.with(instantTemplates: .auto) { host in
      let first = try await host.specification()
      let begin = ContinuousClock.now
      let template = try await host.driver.makeTemplate(of: MachineShape(of: first))
      print("template \(ContinuousClock.now - begin)")
      #expect(try await host.driver.observe().powers.isEmpty)
      #expect(try ServerFiles.machines(dataDirectory: host.dataDirectory).isEmpty)
      #expect(try host.driver.templates.templates() == [template.id: template])
      try await haveNothingTwice(host)
      // It would look at its templates now and then, and remove one that is not whole at that moment.
      await host.rest()
      try await TemplateDoubts(host: host, template: template).all()
      #expect(try await host.driver.observe().powers.isEmpty)
      #expect(try ServerFiles.machines(dataDirectory: host.dataDirectory).isEmpty)
    }
  }

  private func haveNothingTwice(_ host: PrivateHost) async throws {
    var identities: [InstantMachine.Identity] = []
    while identities.count < Self.clones {
      identities += try await withThrowingTaskGroup(of: InstantMachine.Identity.self) { group in
        for number in 1...Self.atOnce {
          let specification = try await host.specification(hostname: "web\(identities.count + number).example.com")
          group.addTask {
            let machine = InstantMachine(host: host, specification: specification)
            let identity = try await machine.wakes()
            try await host.driver.ensureAbsent(specification.machine)
            return identity
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
    }
    #expect(identities.count == Self.clones)
    expectNothingTwice(identities)
  }

  private func expectNothingTwice(_ identities: [InstantMachine.Identity]) {
    for (name, values) in InstantMachine.Identity.each(of: identities) {
      #expect(Set(values).count == identities.count, "\(name): \(values)")
      #expect(!values.contains(""), "\(name)")
    }
  }

  @Test(
    "One takes its password, gets the rest of its system, and boots at its next start as the same server",
    .enabled(if: isLong, "VPSD_LONG_TESTS"))
  func life() async throws {
    try await PrivateHost.with(instantTemplates: .auto) { host in
      let specification = try await host.specification(hostname: "web.example.com", rootPasswordHash: Self.hash)
      _ = try await host.driver.makeTemplate(of: MachineShape(of: specification))
      let machine = InstantMachine(host: host, specification: specification)
      let identity = try await machine.wakes()
      let password = try await host.ssh(
        specification,
        """
        grep ^root: /etc/shadow | cut -d : -f 2; stat -c '%U %G %a' /etc/shadow
        sshd -T | grep -E '^(permitrootlogin|passwordauth)'
        """)
      #expect(password == "\(Self.hash)\nroot shadow 640\npermitrootlogin yes\npasswordauthentication yes")
      try await machine.settles()
      let announcement = try await machine.announcement()
      try await machine.boots(knownBy: identity)
      try await host.driver.ensureAbsent(specification.machine)
      let other = InstantMachine(host: host, specification: try await host.specification())
      _ = try await other.wakes()
      try await other.takesRestart()
      try await other.settles()
      expectNothingTwice([announcement, try await other.announcement()])
      try await host.driver.ensureAbsent(other.specification.machine)
    }
  }

  private static let hash =
    "$6$abcdefgh$0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ./0123456789abcdefghij"

  @Test(
    "On a full disk there is no half of a template, and a server or a reason; with room again everything goes on",
    .enabled(if: SmallDisk.isPossible, "Tests/Hosts/loopback or unprivileged"))
  func fullDisk() async throws {
    try await PrivateHost.with(instantTemplates: .auto, hasSmallDisk: true) { host in
      try await TemplatesOnFullDisk(host: host, disk: try #require(host.disk)).all()
    }
  }

  @Test("A template whose machine is killed while it is made is not there, and nothing of it is")
  func killedWhileMade() async throws {
    try await PrivateHost.with(instantTemplates: .auto) { host in
      let shape = MachineShape(of: try await host.specification())
      let making = Task { try await host.driver.makeTemplate(of: shape) }
      var id: UUID?
      try await eventually("its machine runs", within: .seconds(60)) {
        id = try host.driver.templates.inMaking().first
        guard let id, let emulator = PrivateHost.emulator(of: id) else { return false }
        return kill(emulator, SIGKILL) == 0
      }
      await #expect(throws: DriverError.self) { _ = try await making.value }
      #expect(try MachineFiles.names(in: host.driver.templates.directory).isEmpty)
      #expect(try ServerFiles.machines(dataDirectory: host.dataDirectory).isEmpty)
      #expect(try await host.driver.observe().powers.isEmpty)
    }
  }
}
