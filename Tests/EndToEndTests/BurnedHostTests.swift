import APIClient
import Foundation
import TestSupport
import Testing

/// Three boots, and a copy of a disk there and back.
@Suite(
  "The host burned down", .serialized,
  .enabled(if: ProcessInfo.processInfo.environment["VPSD_LONG_TESTS"] != nil))
struct BurnedHostTests {
  @Test("What vpsd-offsite copied to another place brings all back where nothing is, the disks of servers too")
  func drill() async throws {
    let elsewhere = try ScopedFolder()
    let place = try Self.place(in: elsewhere.url)
    var (token, name) = ("", "")
    var login: Login?
    var (server, backup) = (0, 0)
    try await Service.with { service in
      let ours = try Login(in: elsewhere.url)
      let client = try service.client()
      let key = try await client.createSSHKey(.init(name: "test", publicKey: ours.publicKey))
      let made = try await client.createServer(
        .init(name: "kept", planId: 3, osId: 3, location: "us-west", sshKeyId: key.id))
      let endpoint = try await active(made.id, client)
      _ = try ours.run("echo precious > /root/file && sync", on: endpoint)
      let copy = try await client.createBackup(.init(serverId: made.id, description: "before the fire"))
      _ = try await eventually("a completed backup", withinSeconds: 300) {
        try await client.copy(copy.id, in: "backups").status == "completed" ? true : nil
      }
      _ = try service.run("packaging/offsite/vpsd-offsite", ["backup"], place)
      // A second one costs what is new, and leaves nothing behind it.
      _ = try service.run("packaging/offsite/vpsd-offsite", ["backup"], place)
      #expect(!FileManager.default.fileExists(atPath: service.data + "/offsite"))
      token = try String(contentsOfFile: service.data + "/token", encoding: .utf8).trimmingCharacters(in: .newlines)
      (name, login, server, backup) = (made.name, ours, made.id, copy.id)
    }
    let readable = try Command.run(
      "/usr/bin/grep", ["-rlE", "precious|installation_id", elsewhere.url.path + "/repository"])
    #expect(readable.status == 1, "this can be read without the password: \(readable.output)")

    // Another host: nothing of the first one is left, and what a start made here is not the state that is to come.
    try await Service.with { service in
      _ = try service.operate(["shutdown", "--servers"])
      #expect(throws: Command.Failed.self) { try service.run("packaging/offsite/vpsd-offsite", ["restore"], place) }
      for file in try FileManager.default.contentsOfDirectory(atPath: service.data) {
        try FileManager.default.removeItem(atPath: service.data + "/" + file)
      }
      let began = ContinuousClock.now
      _ = try service.run("packaging/offsite/vpsd-offsite", ["restore"], place)
      try await service.start()
      let known = began.duration(to: .now)
      let client = try service.client(token: token)
      _ = try await eventually("the verdict on what is missing", withinSeconds: 180) {
        try await client.server(server).status == "error" ? true : nil
      }
      expectEqual(try await client.restore(backup, from: "backups").message, "Server is being restored")
      let endpoint = try await active(server, client)
      expectEqual(try login?.run("cat /root/file; hostname", on: endpoint), "precious\n\(name)")
      print("burned host: the state after \(known), the server after \(began.duration(to: .now))")
      expectEqual(try service.checked().status, 0)
      _ = try service.run("packaging/offsite/vpsd-offsite", ["check"], place)
      try await client.deleteServer(server)
    }
  }

  private static func place(in folder: URL) throws -> [String: String] {
    let password = folder.path + "/password"
    try Data("correct horse battery staple\n".utf8).write(to: URL(fileURLWithPath: password))
    return [
      "RESTIC_REPOSITORY": folder.path + "/repository", "RESTIC_PASSWORD_FILE": password,
      "RESTIC_CACHE_DIR": folder.path + "/cache", "VPSD_OFFSITE_ENV": folder.path + "/none",
    ]
  }
}
