import APIClient
import Foundation
import TestSupport
import Testing

private let stockDisk = ProcessInfo.processInfo.environment["VPSD_STOCK_IMAGE"]

/// A Debian 12 with cloud-init as its publisher makes one, for which Tests/Images/build stands in: it starts by a BIOS and by
/// UEFI. Without KVM its boot takes minutes.
@Suite("Systems as others publish them", .serialized, .enabled(if: stockDisk != nil))
struct StockSystemTests {
  private static let bootLimitSeconds = 600

  @Test(
    "The first order of Ubuntu 22.04 fetches it, also through a death of the service, and is active then; what is added by address starts by UEFI"
  )
  func ordered() async throws {
    let disk = try #require(stockDisk)
    let publisher = try Publisher()
    // Some eight seconds.
    publisher.publish("/jammy.img", Publisher.Page(file: disk, delay: .milliseconds(4)))
    let sum = try Command.output("/usr/bin/sha256sum", [disk], limitSeconds: 120).prefix { $0 != " " }
    publisher.publish("/SHA256SUMS", Array("\(sum) *jammy.img\n".utf8))
    let folder = try ScopedFolder()
    try makeKnown(by: publisher, in: folder.url)
    let settings = [
      "VPSD_IMAGE_DIR": folder.url.path + "/images", "VPSD_RECIPE_DIR": folder.url.path + "/recipes",
      "VPSD_IMAGE_DOWNLOADS": "on-demand",
    ]
    try await Service.with(settings) { service in
      let login = try Login(in: service.directory)
      var client = try service.client()
      let key = try await client.createSSHKey(.init(name: "test", publicKey: login.publicKey))
      let (id, password) = try await orderAsDocumented(client)
      try await showsItsDownload(id, client)
      try service.kill()
      try await service.start()
      client = try service.client()
      _ = try await eventually("the image", withinSeconds: 200) {
        try service.operate(["image", "list"]).contains("ubuntu-22.04") ? true : nil
      }
      let fetches = publisher.requests.filter { $0.hasPrefix("/jammy.img") }
      #expect(fetches.first == "/jammy.img" && fetches.last?.contains(" ") == true, "\(fetches)")

      let endpoint = try await active(id, client, withinSeconds: Self.bootLimitSeconds)
      try await isWhatWasOrdered("web02", "web02.example.com", gibibytes: 78...80, firmware: "bios") {
        try Login.run($0, on: endpoint, password: password, in: service.directory)
      }
      try await client.deleteServer(id)

      publisher.publish("/uefi.img", Publisher.Page(file: disk))
      let added = try service.operate([
        "image", "add", "debian-uefi", "--url", publisher.url("/uefi.img"), "--sha256", String(sum), "--firmware",
        "uefi", "--os", "Debian 12 UEFI",
      ])
      #expect(added.contains("is offered"), "\(added)")
      let second = try await client.createServer(
        .init(name: "web-3", planId: 3, osId: 6, location: "us-west", sshKeyId: key.id))
      let other = try await active(second.id, client, withinSeconds: Self.bootLimitSeconds)
      try await isWhatWasOrdered("web-3", "web-3", gibibytes: 5...5, firmware: "uefi") { try login.run($0, on: other) }
      try await client.deleteServer(second.id)
    }
  }

  private func orderAsDocumented(_ client: APIClient) async throws -> (id: Int, password: String) {
    let order = """
      {"name": "web-server-02", "plan_id": 1, "os_id": 5, "location": "us-west", "hostname": "web02.example.com",
       "backups_enabled": true}
      """
    let reply = try await client.send("POST", "/servers/", json: Data(order.utf8))
    #expect(reply.status == 201)
    let server = try JSONSerialization.jsonObject(with: reply.body) as? [String: Any]
    return (try #require(server?["id"] as? Int), try #require(server?["password"] as? String))
  }

  /// Of this host's own loopback, which nobody else can be.
  private func makeKnown(by publisher: Publisher, in folder: URL) throws {
    let catalogue = folder.appendingPathComponent("recipes/catalogue")
    try FileManager.default.createDirectory(at: catalogue, withIntermediateDirectories: true)
    let known = """
      {"os": "Ubuntu 22.04 LTS", "family": "ubuntu", "os_version": "22.04",
       "source": {"url": "\(publisher.url("/jammy.img"))", "checksums": "\(publisher.url("/SHA256SUMS"))"},
       "properties": {"seed_format": "nocloud", "default_user": "root", "guest_agent": false}}
      """
    try Data(known.utf8).write(to: catalogue.appendingPathComponent("ubuntu-22.04.json"))
  }

  private func showsItsDownload(_ id: Int, _ client: APIClient) async throws {
    let words = /^Ubuntu 22.04 LTS is being downloaded for its first server: ([0-9]+) of ([0-9]+) MB.$/
    _ = try await eventually("the progress of its download", withinSeconds: 30) { () -> Bool? in
      let server = try await client.server(id)
      #expect(server.status == "provisioning")
      guard let match = server.statusReason?.wholeMatch(of: words), let came = Int(match.1), let all = Int(match.2)
      else {
        return nil
      }
      return came > 20 && came < all ? true : nil
    }
  }

  /// It has its name, the whole of its disk, and the firmware that its image says; cloud-init is done and finds nothing wrong.
  private func isWhatWasOrdered(
    _ name: String, _ hostname: String, gibibytes: ClosedRange<Int>, firmware: String, _ run: (String) throws -> String
  ) async throws {
    _ = try await eventually("the end of cloud-init", withinSeconds: 600) {
      try run("cloud-init status || true") == "status: done" ? true : nil
    }
    let said = try run(
      "hostname; hostname -f; test -d /sys/firmware/efi && echo uefi || echo bios; "
        + "df --output=size -BG / | tail -n 1 | tr -d ' G'")
    let lines = said.split(separator: "\n").map(String.init)
    #expect(lines.dropLast() == [name, hostname, firmware], "\(said)")
    #expect(lines.last.flatMap { Int($0) }.map(gibibytes.contains) == true, "\(said)")
  }
}
