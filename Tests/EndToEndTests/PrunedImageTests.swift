import APIClient
import Foundation
import TestSupport
import Testing

/// Three boots, and several copies of a whole disk.
@Suite(
  "A copy of a disk needs no image", .serialized,
  .enabled(if: ProcessInfo.processInfo.environment["VPSD_LONG_TESTS"] != nil))
struct PrunedImageTests {
  @Test("An old backup is restored and boots after its image was updated, and the version that it was made from pruned")
  func restored() async throws {
    let folder = try ScopedFolder()
    let publisher = try Publisher()
    // Two versions that differ in how they are written.
    let (first, second) = (folder.url.path + "/first.qcow2", folder.url.path + "/second.qcow2")
    for (file, clusters) in [(first, "64k"), (second, "128k")] {
      _ = try Command.output(
        "/usr/bin/qemu-img",
        [
          "convert", "-O", "qcow2", "-o", "cluster_size=\(clusters)", Service.images + "/debian-12/current/disk.qcow2",
          file,
        ],
        limitSeconds: 200)
    }
    func publish(_ file: String) throws {
      publisher.publish("/disk.img", Publisher.Page(file: file))
      let sum = try Command.output("/usr/bin/sha256sum", [file], limitSeconds: 120).prefix { $0 != " " }
      publisher.publish("/SUMS", Array("\(sum)  disk.img\n".utf8))
    }
    try publish(first)
    let images = folder.url.path + "/images"
    try await Service.with(["VPSD_IMAGE_DIR": images]) { service in
      let login = try Login(in: service.directory)
      let client = try service.client()
      _ = try service.operate([
        "image", "add", "theirs", "--url", publisher.url("/disk.img"), "--checksums", publisher.url("/SUMS"), "--seed",
        "vpsd", "--agent", "--os", "Theirs 1",
      ])
      try await offers("Theirs 1", client)
      let key = try await client.createSSHKey(.init(name: "test", publicKey: login.publicKey))
      let server = try await client.createServer(
        .init(name: "kept", planId: 3, osId: 6, location: "us-west", sshKeyId: key.id))
      var endpoint = try await active(server.id, client)
      _ = try login.run("echo old > /root/file && sync", on: endpoint)
      let backup = try await client.createBackup(.init(serverId: server.id, description: "old"))
      _ = try await eventually("a completed backup", withinSeconds: 300) {
        try await client.copy(backup.id, in: "backups").status == "completed" ? true : nil
      }

      try publish(second)
      let before = try versions(of: images)
      _ = try service.operate(["image", "update", "theirs"])
      let newer = try versions(of: images).subtracting(before)
      // An hour later, and with no disk on the version that was before, it goes.
      _ = try Command.output("/usr/bin/touch", ["--no-dereference", "--date=2 hours ago", images + "/theirs/current"])
      #expect(try !service.operate(["image", "prune"]).contains(try #require(before.first)))
      let rebuild = try await client.send("POST", "/servers/\(server.id)/rebuild/", json: Data("{}".utf8))
      #expect(rebuild.status == 200, "\(rebuild.text)")
      endpoint = try await active(server.id, client)
      expectEqual(try login.run("ls /root", on: endpoint), "")
      #expect(try service.operate(["image", "prune"]).contains(try #require(before.first)))
      expectEqual(try versions(of: images), newer)

      expectEqual(try await client.restore(backup.id, from: "backups").message, "Server is being restored")
      endpoint = try await active(server.id, client)
      expectEqual(try login.run("cat /root/file; hostname", on: endpoint), "old\nkept")
      try await client.deleteServer(server.id)
    }
  }

  private func versions(of images: String) throws -> Set<String> {
    let names = try FileManager.default.contentsOfDirectory(atPath: images + "/theirs")
    return Set(names.filter { $0 != "current" && !$0.hasPrefix(".") })
  }
}
