import APIClient
import Foundation
import TestSupport
import Testing

/// Another plan, another system: still the same server.
@Suite("A server that is changed", .serialized)
struct ShapeTests {
  @Test("A larger plan shows inside and keeps the files; a rebuild is a new machine at the same address")
  func resizeAndRebuild() async throws {
    try await Service.with { service in
      let login = try Login(in: service.directory)
      let client = try service.client()
      let key = try await client.createSSHKey(.init(name: "test", publicKey: login.publicKey))
      let created = try await client.createServer(
        .init(name: "shape", planId: 3, osId: 3, location: "us-west", sshKeyId: key.id))
      let endpoint = try await active(created.id, client)
      _ = try login.run("echo kept > /root/kept && sync", on: endpoint)

      expectEqual(try await client.resize(created.id, planID: 1).message, "Server is resizing")
      expectEqual(try await active(created.id, client), endpoint)
      try hasTheSizeOfTheLargerPlan(login, endpoint)
      expectEqual(try login.run("cat /root/kept", on: endpoint), "kept")

      let hostKey = try login.run("cat /etc/ssh/ssh_host_ed25519_key.pub", on: endpoint)
      let rebuild = try await client.rebuild(created.id)
      #expect(rebuild.message == "Server is rebuilding")
      #expect(rebuild.password == nil)
      expectEqual(try await active(created.id, client), endpoint)
      expectEqual(try login.run("test -e /root/kept || hostname", on: endpoint), "shape")
      #expect(try login.run("cat /etc/ssh/ssh_host_ed25519_key.pub", on: endpoint) != hostKey)
      try hasTheSizeOfTheLargerPlan(login, endpoint)

      // There is no image of it: the system that is there goes on.
      let boot = try login.run("cat /proc/sys/kernel/random/boot_id", on: endpoint)
      _ = try await client.rebuild(created.id, osID: 5)
      _ = try await active(created.id, client)
      expectEqual(try login.run("cat /proc/sys/kernel/random/boot_id", on: endpoint), boot)
      try await client.deleteServer(created.id)
    }
  }

  @Test("A rebuild of a server without a key takes the new password, shown once, and not the old one")
  func password() async throws {
    try await Service.with { service in
      let client = try service.client()
      let created = try await client.createServer(.init(name: "pw", planId: 3, osId: 3, location: "us-west"))
      let old = try #require(created.password)
      let endpoint = try await active(created.id, client)
      let new = try #require(try await client.rebuild(created.id).password)
      _ = try await active(created.id, client)
      expectEqual(try Login.run("hostname", on: endpoint, password: new, in: service.directory), "pw")
      #expect(throws: Command.Failed.self) {
        try Login.run("hostname", on: endpoint, password: old, in: service.directory)
      }
      try await client.deleteServer(created.id)
    }
  }

  private func hasTheSizeOfTheLargerPlan(_ login: Login, _ endpoint: Endpoint) throws {
    expectEqual(try login.run("nproc", on: endpoint), "2")
    let memoryKiB = try #require(Int(try login.run("awk '/^MemTotal/ {print $2}' /proc/meminfo", on: endpoint)))
    #expect((3_800_000...4_194_304).contains(memoryKiB))
    let rootMiB = try #require(
      Int(try login.run("df -m --output=size / | tail -n 1 | tr -d ' '", on: endpoint)))
    #expect((76_000...81_920).contains(rootMiB))
  }
}
