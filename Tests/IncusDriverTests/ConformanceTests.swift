import Core
import Foundation
import Logging
import TestSupport
import Testing

@testable import IncusDriver

/// On a real Incus: Tests/Hosts/incus.
@Suite("The Incus driver is a compute driver", .serialized, .enabled(if: RealServer.folder != nil))
struct ConformanceTests {
  /// A container has no screen, and no disk that a rescue system could be given beside its own.
  private static let checks = ComputeDriverConformance.Check.allCases.filter { $0 != .console && $0 != .rescue }

  @Test("Promise", arguments: checks)
  func promise(_ check: ComputeDriverConformance.Check) async throws {
    try await RealServer.with { server in
      let conformance = ComputeDriverConformance(
        driver: server.driver, neighbour: server.neighbour, makeSpecification: { try await server.specification() },
        waitUntil: { what, condition in
          try await eventually(what, within: .seconds(300), condition)
        })
      try await conformance.run(check)
    }
  }

  @Test("A server is who it is told to be, and takes a new name")
  func identity() async throws {
    try await RealServer.with { server in
      let specification = try await server.specification()
      let machine = specification.machine
      try await server.driver.ensureDefined(specification)
      try await server.driver.start(machine)
      try await eventually("the guest is ready", within: .seconds(300)) {
        try await server.driver.readiness(of: machine) == Readiness(hasSSHBanner: true, hasAgent: true)
      }
      let told = try server.ssh(specification, "hostname; hostname --fqdn; cat /etc/machine-id; nproc")
      #expect(told == "web\nweb.example.com\n\(machine.text.filter { $0 != "-" })\n1")
      try await server.driver.applyHostname(try #require(Hostname("renamed.example.com")), to: machine)
      #expect(try server.ssh(specification, "hostname") == "renamed")
    }
  }

  @Test("The same server is reached over TLS with a certificate")
  func overTLS() async throws {
    let folder = try #require(RealServer.folder)
    let endpoint = try IncusEndpoint.https(
      host: "127.0.1.1", port: 8443, certificate: "\(folder)/client.crt", key: "\(folder)/client.key",
      serverCertificate: "\(folder)/server.crt")
    let driver = IncusDriver(IncusDriver.Configuration(installation: UUID()), at: [endpoint])
    #expect(try await driver.observe().powers.isEmpty)
    #expect(try await driver.capacity()?.vcpus ?? 0 > 0)
  }
}
