import API
import Core
import Engine
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@Suite("The firewall of a server, on the wire", .serialized)
struct FirewallConnectionTests {
  private static let ssh =
    #"{"direction":"in","protocol":"tcp","port":"22","source_ips":["::/0"],"destination_ips":[],"description":"ssh"}"#

  private static let enforcing = {
    var options = SimulatedDriver.Options()
    options.enforcesFirewalls = true
    return options
  }()

  @Test("Through the service's own door: it takes effect, and whoever waits is told so")
  func takesEffect() async throws {
    let api = try await TestAPI.make(options: Self.enforcing)
    let id = try await api.activeServer()
    let keeping = Task { await api.service.firewallKeepers[0].run() }
    try await ListeningAPI.with(api) { listening in
      let body = #"{"enabled":true,"rules":[\#(Self.ssh)]}"#
      let client = try await RawClient(port: listening.port)
      client.send(
        "PUT /api/v1/servers/\(id)/firewall/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(api.service.token.text)\r\n"
          + "Content-Type: application/json\r\nPrefer: wait=30\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
          + body)
      let reply = try #require(await client.receiveAll(withinSeconds: 90))
      #expect(reply.contains("200 OK") && reply.contains("\r\nPreference-Applied: wait=30\r\n"))
      #expect(reply.contains(#"{"enabled":true,"enforced":true,"rules":[\#(Self.ssh)]"#))
    }
    let server = try #require(try await api.service.store.server(ID(Int64(id))))
    #expect(api.service.driver.machine(server.uuid)?.firewall?.rules.count == 1)
    keeping.cancel()
    await keeping.value
  }
}
