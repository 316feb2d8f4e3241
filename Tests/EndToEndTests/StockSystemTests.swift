import APIClient
import Foundation
import TestSupport
import Testing

private let stockDisk = ProcessInfo.processInfo.environment["VPSD_STOCK_IMAGE"]
/// Whether two boots more are made.
private let isLong = ProcessInfo.processInfo.environment["VPSD_LONG_TESTS"] != nil

/// A Debian 12 with cloud-init as its publisher makes one, for which Tests/Images/build stands in: it starts by a BIOS and by
/// UEFI. Without KVM its boot takes minutes.
@Suite("Systems as others publish them", .serialized, .enabled(if: stockDisk != nil))
struct StockSystemTests {
  private static let bootLimitSeconds = 600

  private static let config = """
    #cloud-config
    write_files: [{path: /root/written, content: done by cloud-config}]
    runcmd: ["cp /root/written /root/ran"]

    """
  private static let script = "#!/bin/sh\necho done by a script >/root/ran\n"

  @Test(
    "The first order of Ubuntu 22.04 fetches it, also through a death of the service; systems start by BIOS and by UEFI, let in by password and by key, and do what their user data says"
  )
  func ordered() async throws {
    let disk = try #require(stockDisk)
    let publisher = try Publisher()
    // No more of it comes before its progress has been seen.
    publisher.publish("/jammy.img", Publisher.Page(file: disk, holdsAfter: 64 << 20))
    publisher.publish("/uefi.img", Publisher.Page(file: disk))
    let sum = String(try Command.output("/usr/bin/sha256sum", [disk], limitSeconds: 120).prefix { $0 != " " })
    publisher.publish("/SHA256SUMS", Array("\(sum) *jammy.img\n".utf8))
    let folder = try ScopedFolder()
    try makeKnown(by: publisher, in: folder.url)
    let settings = [
      "VPSD_IMAGE_DIR": folder.url.path + "/images", "VPSD_RECIPE_DIR": folder.url.path + "/recipes",
      "VPSD_IMAGE_DOWNLOADS": "on-demand",
    ]
    try await Service.with(settings) { service in
      let (login, began) = (try Login(in: service.directory), ContinuousClock.now)
      var client = try service.client()
      let first = try await orderAsDocumented(client)
      try await showsItsDownload(first.id, client)
      try service.kill()
      publisher.publish("/jammy.img", Publisher.Page(file: disk))
      try await service.start()
      client = try service.client()
      try await isFetchedOn(publisher, service)
      let added = try service.operate([
        "image", "add", "debian-uefi", "--url", publisher.url("/uefi.img"), "--sha256", sum, "--firmware", "uefi",
        "--os", "Debian 12 UEFI",
      ])
      #expect(added.contains("is offered"), "\(added)")
      try await offers("Debian 12 UEFI", client)

      // Side by side, as each boot takes minutes.
      let key = try await client.createSSHKey(.init(name: "test", publicKey: login.publicKey)).id
      let second = try await order("web-3", #""ssh_key_id": \#(key)"#, Self.config, client)
      try await isWhatWasOrdered(first.id, "web02", "web02.example.com", gibibytes: 78...80, "bios", nil, client) {
        try Login.run($0, on: $1, password: first.password, in: service.directory)
      }
      try await isWhatWasOrdered(
        second.id, "web-3", "web-3", gibibytes: 5...5, "uefi", "done by cloud-config", client
      ) { try login.run($0, on: $1) }
      print("the first two systems, from the order on: \(ContinuousClock.now - began)")

      try await client.deleteServer(second.id)
      if isLong { try await doScripts(first.id, key, login, client, service) }
      try await client.deleteServer(first.id)
    }
  }

  /// The server by BIOS, rebuilt, and another one by UEFI.
  private func doScripts(_ first: Int, _ key: Int, _ login: Login, _ client: APIClient, _ service: Service) async throws
  {
    let rebuild = try JSONSerialization.data(withJSONObject: ["ssh_key_id": key, "user_data": Self.script])
    let reply = try await client.send("POST", "/servers/\(first)/rebuild/", json: rebuild)
    #expect(reply.status == 200, "\(reply.text)")
    let third = try await order("web-4", nil, Self.script, client)
    let password = try #require(third.password)
    try await isWhatWasOrdered(
      first, "web02", "web02.example.com", gibibytes: 78...80, "bios", "done by a script", client
    ) { try login.run($0, on: $1) }
    try await isWhatWasOrdered(third.id, "web-4", "web-4", gibibytes: 5...5, "uefi", "done by a script", client) {
      try Login.run($0, on: $1, password: password, in: service.directory)
    }
    try await client.deleteServer(third.id)
  }

  /// Of the system with UEFI.
  private func order(
    _ name: String, _ member: String?, _ userData: String, _ client: APIClient
  ) async throws -> (id: Int, password: String?) {
    let text = String(decoding: try JSONEncoder().encode(userData), as: UTF8.self)
    let order = #"{"name": "\#(name)", "plan_id": 3, "os_id": 6, "location": "us-west", "user_data": \#(text)"#
    let reply = try await client.send(
      "POST", "/servers/", json: Data((order + (member.map { ", \($0)" } ?? "") + "}").utf8))
    #expect(reply.status == 201, "\(reply.text)")
    let server = try JSONSerialization.jsonObject(with: reply.body) as? [String: Any]
    return (try #require(server?["id"] as? Int), server?["password"] as? String)
  }

  private func isFetchedOn(_ publisher: Publisher, _ service: Service) async throws {
    _ = try await eventually("the image", withinSeconds: 300) {
      try service.operate(["image", "list"]).contains("ubuntu-22.04") ? true : nil
    }
    let fetches = publisher.requests.filter { $0.hasPrefix("/jammy.img") }
    #expect(fetches.first == "/jammy.img" && fetches.last?.contains(" ") == true, "\(fetches)")
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
    _ = try await eventually("the progress of its download", withinSeconds: 180) { () -> Bool? in
      let server = try await client.server(id)
      #expect(server.status == "provisioning")
      guard let match = server.statusReason?.wholeMatch(of: words), let came = Int(match.1), let all = Int(match.2)
      else {
        return nil
      }
      return came > 20 && came < all ? true : nil
    }
  }

  /// It lets in, has its name, the whole of its disk, and the firmware that its image says; its user data was carried out, and
  /// cloud-init found nothing wrong.
  private func isWhatWasOrdered(
    _ id: Int, _ name: String, _ hostname: String, gibibytes: ClosedRange<Int>, _ firmware: String, _ ran: String?,
    _ client: APIClient, _ run: (String, Endpoint) throws -> String
  ) async throws {
    let endpoint = try await active(id, client, withinSeconds: Self.bootLimitSeconds)
    _ = try run("true", endpoint)
    // Each look at it costs the guest a login: it looks itself. One that is slow is looked at again.
    let result = "/run/cloud-init/result.json"
    let look = "for _ in $(seq 15); do test -e \(result) && break; sleep 1; done; cat \(result) || true"
    let end = try await eventually("the end of cloud-init", withinSeconds: 600) { () -> String? in
      guard let said = try? run(look, endpoint) else { return nil }
      return said.contains("errors") ? said : nil
    }
    #expect(end.contains(#""errors": []"#), "\(end)")
    let said = try run(
      "hostname; hostname -f; test -d /sys/firmware/efi && echo uefi || echo bios; "
        + "df --output=size -BG / | tail -n 1 | tr -d ' G'; cat /root/ran 2>/dev/null || echo nothing ran",
      endpoint)
    let lines = said.split(separator: "\n").map(String.init)
    try #require(lines.count == 5, "\(said)")
    #expect(lines.prefix(3) == [name, hostname, firmware], "\(said)")
    #expect(Int(lines[3]).map(gibibytes.contains) == true, "\(said)")
    #expect(lines[4].hasSuffix(ran ?? "nothing ran"), "\(said)")
    #expect(try await client.server(id).statusReason == nil)
  }
}
