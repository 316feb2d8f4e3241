import APIClient
import Foundation
import TestSupport
import Testing

/// Containers of a real Incus, which Tests/Hosts/incus runs.
@Suite(
  "Servers that are containers", .serialized,
  .enabled(if: ProcessInfo.processInfo.environment["VPSD_TEST_INCUS"] != nil))
struct ContainerServersTests {
  private static let folder = ProcessInfo.processInfo.environment["VPSD_TEST_INCUS"] ?? ""

  /// Over its socket, or over TLS.
  private static func file(_ way: String) -> String {
    let member = ProcessInfo.processInfo.environment["VPSD_TEST_INCUS_MEMBER"].map { ", member: \($0)" } ?? ""
    return """
      driver: simulated
      locations:
        us-west: {driver: incus, instance_type: container, address_pool: 127.90.0.0/16, \(way)\(member)}

      """
  }

  private static let socket = "socket: \(folder)/unix.socket"
  private static let settings = ["VPSD_DRIVER": "simulated", "VPSD_OVERCOMMIT_STORAGE": "100"]

  @Test(
    "From POST to a login, through stop, start, reboot, another name, another plan and a rebuild, until nothing is left"
  )
  func wholeLife() async throws {
    try await Service.with(Self.settings, file: Self.file(Self.socket)) { service in
      let login = try Login(in: service.directory)
      let client = try service.client()
      let key = try await client.createSSHKey(.init(name: "test", publicKey: login.publicKey))
      let created = try await client.createServer(
        .init(
          name: "web-1", planId: 3, osId: 3, location: "us-west", hostname: "web-1.example.com", sshKeyId: key.id))
      let endpoint = try await active(created.id, client)
      expectEqual(try login.run("hostname -f; id -u; ps -p 1 -o comm=", on: endpoint), "web-1.example.com\n0\nsystemd")
      // Root of it is nobody on its host.
      expectEqual(try login.run("awk '{ exit $2 == 0 }' /proc/self/uid_map && echo mapped", on: endpoint), "mapped")
      _ = try login.run("echo kept > /root/kept", on: endpoint)
      try await stopsAndStarts(created.id, client, login, endpoint)
      try await takesANewHostname(created.id, client, login, endpoint)
      try await grows(created.id, client, login, endpoint)
      try await isRebuilt(created.id, client, login, endpoint)
      #expect(try service.checked().output.hasSuffix("1 server(s): the records agree, and so do the machines."))
      try await leavesNothing(created, client)
    }
  }

  @Test("What was in a file comes back with a backup and with a snapshot, and a deleted server leaves no copy")
  func copies() async throws {
    try await Service.with(Self.settings, file: Self.file(Self.socket)) { service in
      let login = try Login(in: service.directory)
      let client = try service.client()
      let key = try await client.createSSHKey(.init(name: "test", publicKey: login.publicKey))
      let server = try await client.createServer(
        .init(name: "copied", planId: 3, osId: 3, location: "us-west", sshKeyId: key.id))
      let endpoint = try await active(server.id, client)
      _ = try login.run("echo first > /root/file", on: endpoint)
      let backup = try await client.createBackup(.init(serverId: server.id, description: "by hand"))
      try await completed(backup, in: "backups", client)
      _ = try login.run("echo second > /root/file", on: endpoint)
      let snapshot = try await client.createSnapshot(.init(serverId: server.id, name: "second"))
      try await completed(snapshot, in: "snapshots", client)
      _ = try login.run("echo third > /root/file", on: endpoint)
      try await restores(backup.id, from: "backups", server.id, client)
      expectEqual(try login.run("cat /root/file; hostname", on: endpoint), "first\ncopied")
      try await restores(snapshot.id, from: "snapshots", server.id, client)
      expectEqual(try login.run("cat /root/file", on: endpoint), "second")
      expectEqual(try service.checked().status, 0)
      try await leavesNothing(server, client)
      #expect(try await client.copies(in: "backups").isEmpty)
    }
  }

  @Test("Over TLS, with a password, user data and its usage; what a container cannot do is refused with a reason")
  func limits() async throws {
    let way =
      "url: 'https://127.0.1.1:8443', client_certificate: \(Self.folder)/client.crt, client_key: \(Self.folder)/client.key, "
      + "server_certificate: \(Self.folder)/server.crt"
    try await Service.with(Self.settings, file: Self.file(way)) { service in
      let client = try service.client()
      let order =
        ##"{"name": "pw", "plan_id": 3, "os_id": 3, "location": "us-west", "user_data": "#!/bin/sh\necho done > /root/user-data\n"}"##
      let ordered = try await client.send("POST", "/servers/", json: Data(order.utf8))
      let password = String(try #require(ordered.text.firstMatch(of: /"password":"([^"]+)"/)?.output.1, "\(ordered)"))
      let created = try #require(try await client.servers().first)
      let endpoint = try await active(created.id, client)
      func run(_ command: String, _ password: String) throws -> String {
        try Login.run(command, on: endpoint, password: password, in: service.directory)
      }
      expectEqual(try run("hostname", password), "pw")
      _ = try await eventually("what user data does", withinSeconds: 300) {
        try run("cat /root/user-data 2>/dev/null || true", password) == "done" ? true : nil
      }
      let reset = try await client.send("POST", "/servers/\(created.id)/reset-password/")
      let text = try #require(reset.text.firstMatch(of: /"password":"([^"]+)"/)?.output.1, "\(reset.text)")
      _ = try await eventually("a login with the new password", withinSeconds: 180) {
        (try? run("hostname", String(text))) == "pw" ? true : nil
      }
      _ = try await eventually("a measured usage", withinSeconds: 180) {
        let usage = try await client.server(created.id).resourceUsage
        return usage.map { $0.memoryUsed > 0 && $0.cpuPercent > 0 } == true ? true : nil
      }
      let console = try await client.send("POST", "/servers/\(created.id)/console/")
      #expect(console.text.contains("no screen"), "\(console)")
      // Ubuntu has no image of containers.
      let body = #"{"name": "u", "plan_id": 3, "os_id": 5, "location": "us-west"}"#
      let refused = try await client.send("POST", "/servers/", json: Data(body.utf8))
      #expect(refused.status == 503 && refused.text.contains("is not available at us-west"), "\(refused)")
      try await leavesNothing(created, client)
    }
  }

  @Test(
    "A service that is killed while a server is made, and one that was shut down with its servers, go on where they were"
  )
  func interrupted() async throws {
    try await Service.with(Self.settings, file: Self.file(Self.socket)) { service in
      let login = try Login(in: service.directory)
      let key = try await service.client().createSSHKey(.init(name: "test", publicKey: login.publicKey))
      // Each later than the one before: nothing is there yet, the container is, it runs.
      for (number, moment) in ["[", "vps-", #""status":"Running""#].enumerated() {
        let created = try await service.client().createServer(
          .init(name: "web-\(number)", planId: 3, osId: 3, location: "us-west", sshKeyId: key.id))
        _ = try await eventually("the moment of \(moment)", withinSeconds: 180) {
          try Self.instances(of: created.uuid).contains(moment) ? true : nil
        }
        try service.kill()
        try await service.start()
        let endpoint = try await active(created.id, service.client())
        expectEqual(try login.run("hostname", on: endpoint), "web-\(number)")
      }
      #expect(try service.checked().output.hasSuffix("3 server(s): the records agree, and so do the machines."))
      try await isCopiedByTheNext(service, login)
      _ = try service.operate(["shutdown", "--servers"])
      #expect(try !Self.instances().contains(#""status":"Running""#))
      try await service.start()
      for server in try await service.client().servers() {
        _ = try await active(server.id, service.client())
        try await service.client().deleteServer(server.id)
      }
      _ = try await eventually("the end of every trace", withinSeconds: 180) {
        try Self.instances() == "[]" ? true : nil
      }
    }
  }

  /// What a service that was killed has begun, Incus goes on with, and the next service finds.
  private func isCopiedByTheNext(_ service: Service, _ login: Login) async throws {
    let server = try #require(try await service.client().servers().first)
    let endpoint = try await active(server.id, service.client())
    _ = try login.run("echo first > /root/file", on: endpoint)
    let backup = try await service.client().createBackup(.init(serverId: server.id, description: "interrupted"))
    _ = try await eventually("a snapshot to copy", withinSeconds: 180) {
      try Self.instances(of: server.uuid).contains("copy-\(backup.uuid)") ? true : nil
    }
    try service.kill()
    try await service.start()
    try await completed(backup, in: "backups", service.client())
    #expect(try !Self.instances(of: server.uuid).contains("copy-"))
    _ = try login.run("echo second > /root/file", on: endpoint)
    try await restores(backup.id, from: "backups", server.id, service.client())
    expectEqual(try login.run("cat /root/file", on: endpoint), "first")
  }

  /// As Incus tells them, without spaces.
  private static func instances(of machine: String? = nil) throws -> String {
    let words = ["list", machine.map { "vps-\($0)" }, "--format", "json"].compactMap { $0 }
    return try Command.output(TestIncus.client, words).filter { !$0.isWhitespace }
  }

  @Test(
    "A server takes no more than a third longer to its first login than what Incus itself launches of the same image")
  func asFastAsIncus() async throws {
    try await Service.with(Self.settings, file: Self.file(Self.socket)) { service in
      let login = try Login(in: service.directory)
      let client = try service.client()
      let key = try await client.createSSHKey(.init(name: "test", publicKey: login.publicKey))
      func order() async throws -> (server: Int, seconds: Double) {
        let began = ContinuousClock.now
        let created = try await client.createServer(
          .init(name: "web", planId: 3, osId: 3, location: "us-west", sshKeyId: key.id))
        // Whoever waits for it so is told at once.
        let server = try await client.settledServer(created.id, within: .seconds(60))
        _ = try login.run("true", on: Endpoint(address: try #require(server.ipAddress), port: server.sshPort))
        return (server.id, Self.seconds(since: began))
      }
      // The first one brings the image, which is on the member from then on.
      try await client.deleteServer(try await order().server)
      let image = try #require(
        try Command.output(TestIncus.client, ["image", "list", "--format", "csv", "--columns", "F"])
          .split(separator: "\n").first.map(String.init))
      var (ours, theirs): ([Double], [Double]) = ([], [])
      for number in 1...5 {
        let (server, time) = try await order()
        ours.append(time)
        try await client.deleteServer(server)
        theirs.append(try Self.launch(image, number, login))
      }
      let figures = (ours.sorted()[2], theirs.sorted()[2])
      print("from POST to an SSH login: \(figures.0) s; from incus launch: \(figures.1) s; of \(ours) and \(theirs)")
      #expect(figures.0 <= 1.3 * figures.1, "\(ours) and \(theirs)")
    }
  }

  /// With the same limits and the same way in, to a login.
  private static func launch(_ image: String, _ number: Int, _ login: Login) throws -> Double {
    let (name, address) = ("launched-\(number)", "127.90.200.\(number)")
    func incus(_ words: String...) throws { _ = try Command.output(TestIncus.client, words) }
    try incus("profile", "create", name)
    try incus("profile", "device", "add", name, "root", "disk", "path=/", "pool=default", "size=5GiB")
    try incus(
      "profile", "device", "add", name, "in", "proxy", "listen=tcp:\(address):22,80,443",
      "connect=tcp:127.0.0.1:22,80,443")
    let began = ContinuousClock.now
    try incus(
      "launch", image, name, "--profile", name, "--config", "limits.cpu=1", "--config", "limits.memory=512MiB",
      "--config", "security.idmap.isolated=true", "--config", "user.vpsd.key=\(login.publicKey)",
      "--config", "user.vpsd.hostname=web", "--config", "user.vpsd.fqdn=web.example.com")
    try eventuallyAtOnce { try? login.run("true", on: Endpoint(address: address, port: 22)) }
    let time = seconds(since: began)
    try incus("delete", "--force", name)
    try incus("profile", "delete", name)
    return time
  }

  /// Without a pause: what is measured is the way to it.
  private static func eventuallyAtOnce(_ look: () throws -> String?) throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while try look() == nil {
      guard ContinuousClock.now < deadline else { throw NotInTime(description: "a login: not within 60 s") }
    }
  }

  private static func seconds(since began: ContinuousClock.Instant) -> Double {
    let (seconds, attoseconds) = (ContinuousClock.now - began).components
    return Double(seconds) + Double(attoseconds) / 1e18
  }

  // MARK: - Parts

  private func stopsAndStarts(
    _ id: Int, _ client: APIClient, _ login: Login, _ endpoint: Endpoint
  ) async throws {
    _ = try await client.perform("stop", on: id)
    try await status("stopped", of: id, client)
    _ = try await client.perform("start", on: id)
    expectEqual(try await active(id, client), endpoint)
    let boot = try login.run("cat /root/kept; stat -c %Y /proc/1", on: endpoint)
    #expect(boot.hasPrefix("kept\n"))
    _ = try await client.perform("reboot", on: id)
    _ = try await active(id, client)
    #expect(try login.run("cat /root/kept; stat -c %Y /proc/1", on: endpoint) != boot)
    // Only its guest's own wish stops a server.
    try login.send("poweroff", to: endpoint)
    try await status("stopped", of: id, client, withinSeconds: 180)
    _ = try await client.perform("start", on: id)
    _ = try await active(id, client)
  }

  private func takesANewHostname(
    _ id: Int, _ client: APIClient, _ login: Login, _ endpoint: Endpoint
  ) async throws {
    _ = try await client.updateServer(id, .init(hostname: "renamed.example.org"))
    _ = try await eventually("the end of the renaming", withinSeconds: 180) {
      try login.run("hostname -f", on: endpoint) == "renamed.example.org" ? true : nil
    }
  }

  private func grows(_ id: Int, _ client: APIClient, _ login: Login, _ endpoint: Endpoint) async throws {
    expectEqual(try login.run("nproc", on: endpoint), "1")
    expectEqual(try await client.resize(id, planID: 1).message, "Server is resizing")
    _ = try await active(id, client)
    expectEqual(try login.run("nproc; cat /root/kept", on: endpoint), "2\nkept")
  }

  private func isRebuilt(_ id: Int, _ client: APIClient, _ login: Login, _ endpoint: Endpoint) async throws {
    expectEqual(try await client.rebuild(id).message, "Server is rebuilding")
    _ = try await active(id, client)
    expectEqual(try login.run("test -e /root/kept || hostname", on: endpoint), "renamed")
  }

  private func completed(_ copy: APIClient.DiskCopy, in collection: String, _ client: APIClient) async throws {
    let made = try await eventually("a completed copy", withinSeconds: 180) {
      let copy = try await client.copy(copy.id, in: collection)
      return copy.status == "pending" ? nil : copy
    }
    #expect(made.status == "completed", "\(made.statusReason ?? "")")
    #expect(made.checksum?.count == 64)
  }

  private func restores(_ id: Int, from collection: String, _ server: Int, _ client: APIClient) async throws {
    _ = try await client.restore(id, from: collection)
    _ = try await eventually("the end of the restore", withinSeconds: 180) {
      try await client.server(server).status == "rebooting" ? nil : true
    }
    _ = try await active(server, client)
  }

  /// What Incus itself says is there.
  private func leavesNothing(_ server: APIClient.Server, _ client: APIClient) async throws {
    try await client.deleteServer(server.id)
    _ = try await eventually("the end of every trace", withinSeconds: 180) {
      let instances = try Command.output(TestIncus.client, ["list", "--format", "json"])
      let images = try Command.output(TestIncus.client, ["image", "list", "--format", "json"])
      return instances == "[]" && !images.contains(server.uuid) ? true : nil
    }
  }
}
