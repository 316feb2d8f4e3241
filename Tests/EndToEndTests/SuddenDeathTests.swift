import APIClient
import Foundation
import TestSupport
import Testing

/// `kill -9` between any two lines.
@Suite("A service that dies", .serialized)
struct SuddenDeathTests {
  @Test("A create goes on where it was, once; a running server goes on running; a delete is carried out")
  func killed() async throws {
    try await Service.with { service in
      let login = try Login(in: service.directory)
      var client = try service.client()
      let key = try await client.createSSHKey(.init(name: "test", publicKey: login.publicKey))
      let created = try await client.createServer(
        .init(name: "survivor", planId: 3, osId: 3, location: "us-west", sshKeyId: key.id))

      try service.kill()
      try await service.start()
      client = try service.client()
      _ = try await eventually("a machine", withinSeconds: 180) {
        processes(containing: created.uuid).isEmpty ? nil : true
      }
      try service.kill()
      try await service.start()
      client = try service.client()
      let endpoint = try await active(created.id, client)
      expectEqual(try await client.servers().count, 1)
      expectEqual(try login.run("hostname", on: endpoint), "survivor")
      let machines = processes(containing: created.uuid)

      try service.kill()
      expectEqual(try login.run("hostname", on: endpoint), "survivor")
      try await service.start()
      client = try service.client()
      expectEqual(try await client.server(created.id).status, "active")
      #expect(processes(containing: created.uuid) == machines)

      try await client.deleteServer(created.id)
      try service.kill()
      try await service.start()
      client = try service.client()
      #expect(try await client.servers().isEmpty)
      _ = try await eventually("the end of the machine", withinSeconds: 180) {
        let isListed = try service.operate(["server", "list", "--json"]).contains(endpoint.address)
        let hasFiles = FileManager.default.fileExists(
          atPath: service.directory.path + "/data/servers/\(created.uuid)")
        return isListed || hasFiles || !processes(containing: created.uuid).isEmpty ? nil : true
      }
    }
  }
}
