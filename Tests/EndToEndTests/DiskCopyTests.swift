import APIClient
import Foundation
import TestSupport
import Testing

/// Backups and snapshots of real disks.
@Suite("Copies of a server's disk", .serialized)
struct DiskCopyTests {
  @Test("What was in a file comes back with a backup, and with a snapshot; a deleted server leaves no copy")
  func restored() async throws {
    try await Service.with { service in
      let login = try Login(in: service.directory)
      let client = try service.client()
      let key = try await client.createSSHKey(.init(name: "test", publicKey: login.publicKey))
      let server = try await client.createServer(
        .init(name: "copied", planId: 3, osId: 3, location: "us-west", sshKeyId: key.id))
      let endpoint = try await active(server.id, client)

      // Nobody tells the guest to write it down: the backup sees to that.
      _ = try login.run("echo first > /root/file", on: endpoint)
      let backup = try await client.createBackup(.init(serverId: server.id, description: "by hand"))
      try await completed(backup, in: "backups", client)
      expectEqual(try await client.server(server.id).status, "active")
      _ = try login.run("echo second > /root/file", on: endpoint)
      let snapshot = try await client.createSnapshot(.init(serverId: server.id, name: "before_third"))
      try await completed(snapshot, in: "snapshots", client)
      _ = try login.run("echo third > /root/file && sync", on: endpoint)

      try await restores(backup.id, from: "backups", server.id, client)
      expectEqual(try login.run("cat /root/file", on: endpoint), "first")
      try await restores(snapshot.id, from: "snapshots", server.id, client)
      expectEqual(try login.run("cat /root/file; hostname", on: endpoint), "second\ncopied")

      try tellsOfLostAndFound(backup, server, service)
      try await client.deleteServer(server.id)
      #expect(try await client.copies(in: "backups").isEmpty)
      #expect(try await client.copies(in: "snapshots").isEmpty)
      _ = try await eventually("the end of every copy", withinSeconds: 180) {
        files(named: [server.uuid, backup.uuid, snapshot.uuid], in: service.directory).isEmpty ? true : nil
      }
    }
  }

  /// The operator is told of a copy whose file is gone, and of a file that is no copy.
  private func tellsOfLostAndFound(
    _ backup: APIClient.DiskCopy, _ server: APIClient.Server, _ service: Service
  ) throws {
    #expect(try service.checked().output.hasSuffix("1 server(s): the records agree, and so do the machines."))
    let path = try #require(files(named: [backup.uuid], in: service.directory).first { $0.hasSuffix(".qcow2") })
    let file = service.directory.appendingPathComponent(path)
    let stray = file.deletingLastPathComponent().appendingPathComponent("\(UUID().uuidString.lowercased()).qcow2")
    let record = file.deletingPathExtension().appendingPathExtension("json")
    let aside = service.directory.appendingPathComponent("record")
    try FileManager.default.moveItem(at: file, to: stray)
    try FileManager.default.moveItem(at: record, to: aside)
    let check = try service.checked()
    #expect(check.status == 1)
    #expect(
      check.output.split(separator: "\n").suffix(2).map(String.init) == [
        "copy \(backup.id) (manual) of server \(server.id) has no file",
        "the copy \(stray.deletingPathExtension().lastPathComponent) belongs to no backup and no snapshot",
      ])
    try FileManager.default.moveItem(at: stray, to: file)
    try FileManager.default.moveItem(at: aside, to: record)
    expectEqual(try service.checked().status, 0)
  }

  private func completed(_ copy: APIClient.DiskCopy, in collection: String, _ client: APIClient) async throws {
    #expect(copy.status == "pending")
    let made = try await eventually("a completed copy", withinSeconds: 300) {
      let copy = try await client.copy(copy.id, in: collection)
      return copy.status == "pending" ? nil : copy
    }
    #expect(made.status == "completed", "\(made.statusReason ?? "")")
    #expect(made.sizeMb ?? 0 > 100)
    #expect(made.checksum?.count == 64)
  }

  private func restores(_ id: Int, from collection: String, _ server: Int, _ client: APIClient) async throws {
    expectEqual(try await client.restore(id, from: collection).message, "Server is being restored")
    expectEqual(try await client.server(server).status, "rebooting")
    _ = try await active(server, client)
  }

  private func files(named names: [String], in directory: URL) -> [String] {
    let all = FileManager.default.enumerator(atPath: directory.path)?.compactMap { $0 as? String } ?? []
    return all.filter { path in names.contains { path.contains($0) } && !path.contains("log") }
  }
}
