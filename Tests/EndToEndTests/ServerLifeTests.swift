import APIClient
import Foundation
import TestSupport
import Testing

/// The main promise, on real virtual machines.
@Suite("The life of a server", .serialized)
struct ServerLifeTests {
  @Test("A server boots, takes a login, stops, starts, reboots, survives a crash, and is deleted without a trace")
  func wholeLife() async throws {
    try await Service.with { service in
      let login = try Login(in: service.directory)
      let client = try service.client()
      let key = try await client.createSSHKey(.init(name: "test", publicKey: login.publicKey))

      let began = ContinuousClock.now
      let created = try await client.createServer(
        .init(
          name: "web-1", planId: 3, osId: 3, location: "us-west", hostname: "web-1.example.com", sshKeyId: key.id))
      #expect(created.status == "provisioning")
      #expect(created.ipAddress == nil)
      #expect(created.password == nil)
      let endpoint = try await active(created.id, client)
      expectEqual(try login.run("hostname", on: endpoint), "web-1")
      print("from POST to an SSH login: \(ContinuousClock.now - began)")

      try isReadyForProvisioners(login, endpoint)
      try hasTheSizeOfItsPlan(login, endpoint)
      expectEqual(try login.run("hostname -f", on: endpoint), "web-1.example.com")
      _ = try login.run("echo kept > /root/kept && sync", on: endpoint)
      try await hasItsUsageMeasured(created.id, client)
      try await takesANewHostname(created.id, client, login, endpoint)
      try isUsedFromTheCommandLine(service, login)
      try await stopsAndStarts(created, client, service, login, endpoint)
      try await reboots(created.id, client, login, endpoint)
      try await showsWhatHappensInside(created, client, login, endpoint)
      try await leavesNoTrace(created, client, service, endpoint)
    }
  }

  @Test("A server without a key takes its password, shown once, and no other server does")
  func password() async throws {
    try await Service.with { service in
      let client = try service.client()
      let created = try await client.createServer(.init(name: "pw", planId: 3, osId: 3, location: "us-east"))
      let password = try #require(created.password)
      let endpoint = try await active(created.id, client)
      #expect(
        try Login.run("hostname", on: endpoint, password: password, in: service.directory) == "pw")
      let read = try await client.send("GET", "/servers/\(created.id)/")
      #expect(!read.text.contains(password))
      #expect(!read.text.contains("\"password\""))
      try await client.deleteServer(created.id)
    }
  }

  @Test(
    "An operating system without an image ends in error with a reason, gives the credit back, and can be deleted; none is ordered any more until there is one"
  )
  func noImage() async throws {
    try await Service.with { service in
      let client = try service.client()
      let balance = try service.operate(["account", "list"])
      let created = try await client.createServer(.init(name: "u", planId: 3, osId: 5, location: "us-west"))
      let failed = try await eventually("an error", withinSeconds: 180) {
        let server = try await client.server(created.id)
        return server.status == "error" ? server : nil
      }
      #expect(failed.statusReason?.contains("image") == true)
      expectEqual(try service.operate(["account", "list"]), balance)
      let body = #"{"name": "late", "plan_id": 3, "os_id": 5, "location": "us-west"}"#
      let refused = try await client.send("POST", "/servers/", json: Data(body.utf8))
      #expect(refused.status == 503 && refused.text.contains("Ubuntu 22.04 LTS is not available at us-west"))
      #expect(refused.header("retry-after").flatMap { Int($0) } ?? 0 > 0, "\(refused)")
      try await client.deleteServer(created.id)
      expectEqual(try await client.send("GET", "/servers/\(created.id)/").status, 404)
    }
  }

  // MARK: - Parts of the whole life

  /// They come with the first second of `active`, some of them with clients that know no Ed25519.
  private func isReadyForProvisioners(_ login: Login, _ endpoint: Endpoint) throws {
    expectEqual(try login.run("hostnamectl --static", on: endpoint), "web-1")
    expectEqual(try login.run("hostname", on: endpoint, hostKey: "ecdsa-sha2-nistp256"), "web-1")
    // By the guest's own clock: a login takes its time.
    let lookUp = "began=$(date +%s); ! getent hosts example.com && echo $(($(date +%s) - began))"
    #expect(try Int(login.run(lookUp, on: endpoint)).map { $0 < 10 } == true)
  }

  private func hasTheSizeOfItsPlan(_ login: Login, _ endpoint: Endpoint) throws {
    expectEqual(try login.run("nproc", on: endpoint), "1")
    let memoryKiB = try #require(Int(try login.run("awk '/^MemTotal/ {print $2}' /proc/meminfo", on: endpoint)))
    #expect((430_000...524_288).contains(memoryKiB))
    let rootMiB = try #require(
      Int(try login.run("df -m --output=size / | tail -n 1 | tr -d ' '", on: endpoint)))
    #expect((4_600...5_120).contains(rootMiB))
  }

  private func hasItsUsageMeasured(_ id: Int, _ client: APIClient) async throws {
    let usage = try await eventually("a measured usage", withinSeconds: 180) {
      let usage = try await client.server(id).resourceUsage
      return usage.map { $0.memoryUsed > 0 && $0.diskUsed > 0 && $0.cpuPercent > 0 } == true ? usage : nil
    }
    #expect((20...512).contains(usage.memoryUsed))
    #expect((1...5).contains(usage.diskUsed))
    #expect(usage.cpuPercent <= 100)
  }

  /// Other machines, whose names only resemble the server's.
  private static let neighbours = "10.0.0.5 web-1.internal.lan primary\n192.168.7.7 app web-1.prod"

  private func takesANewHostname(
    _ id: Int, _ client: APIClient, _ login: Login, _ endpoint: Endpoint
  ) async throws {
    _ = try login.run("echo '\(Self.neighbours)' >> /etc/hosts", on: endpoint)
    let updated = try await client.updateServer(id, .init(hostname: "renamed.example.org"))
    #expect(updated.hostname == "renamed.example.org")
    // Asked of the service: logins go before everything else while a guest boots, and would keep its agent from its work.
    _ = try await eventually("the end of the renaming", withinSeconds: 300) {
      let history = try await client.send("GET", "/servers/\(id)/operations/?ordering=-id&page_size=1").text
      return history.contains(#""kind":"configure","status":"succeeded""#) ? true : nil
    }
    expectEqual(try login.run("hostname -f", on: endpoint), "renamed.example.org")
  }

  /// With the same boot: `vpsctl` as its customer has it.
  private func isUsedFromTheCommandLine(_ service: Service, _ login: Login) throws {
    let customer = try CommandLineCustomer(of: service, login)
    expectEqual(try customer.run("vpsctl server ssh web-1 hostname"), "renamed")
    expectEqual(try customer.run("vpsctl server ssh web-1 -- -o BatchMode=yes 'exit 7'", status: 7), "")
    expectEqual(try customer.run("echo hello >there && vpsctl server scp there web-1:/root/ && rm there"), "")
    expectEqual(try customer.run("vpsctl server scp web-1:/root/there back && cat back"), "hello")
    let copied = "mkdir -p folder/inner && echo deep >folder/inner/file && vpsctl server scp -r folder web-1:/root/"
    expectEqual(try customer.run("\(copied) && vpsctl server ssh web-1 cat /root/folder/inner/file"), "deep")
    expectEqual(try customer.run("vpsctl ssh-config >config && ssh -F config web-1 cat /root/there"), "hello")
    // Its key was taken once, and another one is refused.
    #expect(try customer.run("grep -c ^vpsctl- state/vpsctl/known_hosts") != "0")
    let other =
      "ssh-keygen -q -t ed25519 -N '' -f other && sed -i \"s# .*# $(cut -d' ' -f1,2 other.pub)#\" state/vpsctl/known_hosts"
    #expect(
      try customer.run("\(other) && vpsctl server ssh web-1 hostname", status: 255).contains("HOST IDENTIFICATION"))
    _ = try customer.run("rm state/vpsctl/known_hosts")
  }

  private func stopsAndStarts(
    _ server: APIClient.Server, _ client: APIClient, _ service: Service, _ login: Login, _ endpoint: Endpoint
  ) async throws {
    expectEqual(try await client.perform("stop", on: server.id).message, "Server is stopping")
    try await status("stopped", of: server.id, client)
    #expect(processes(containing: server.uuid).isEmpty)
    expectEqual(try await client.server(server.id).resourceUsage?.memoryUsed, 0)
    // It comes back when a login is answered, which the next line takes.
    let customer = try CommandLineCustomer(of: service, login)
    expectEqual(
      try customer.run("vpsctl server start web-1 --wait=ssh --timeout 5m"), "web-1 (\(server.id)) is active.")
    expectEqual(try customer.run("vpsctl server ssh web-1 hostname"), "renamed")
    expectEqual(try await active(server.id, client), endpoint)
    expectEqual(try login.run("cat /root/kept; hostname", on: endpoint), "kept\nrenamed")
    expectEqual(try login.run("tail -n 2 /etc/hosts", on: endpoint), Self.neighbours)
  }

  private func reboots(_ id: Int, _ client: APIClient, _ login: Login, _ endpoint: Endpoint) async throws {
    let boot = try login.run("cat /proc/sys/kernel/random/boot_id", on: endpoint)
    expectEqual(try await client.perform("reboot", on: id).message, "Server is rebooting")
    _ = try await active(id, client)
    #expect(try login.run("cat /proc/sys/kernel/random/boot_id", on: endpoint) != boot)
  }

  private func showsWhatHappensInside(
    _ server: APIClient.Server, _ client: APIClient, _ login: Login, _ endpoint: Endpoint
  ) async throws {
    let machine = try #require(processes(containing: server.uuid).first)
    kill(machine, SIGKILL)
    try await status("starting", of: server.id, client, withinSeconds: 180)
    _ = try await active(server.id, client)
    expectEqual(try login.run("cat /root/kept", on: endpoint), "kept")

    try login.send("echo c > /proc/sysrq-trigger", to: endpoint)
    try await status("starting", of: server.id, client, withinSeconds: 180)
    _ = try await active(server.id, client)
    expectEqual(try login.run("cat /root/kept", on: endpoint), "kept")

    try login.send("poweroff", to: endpoint)
    _ = try await eventually("the end of QEMU", withinSeconds: 180) {
      processes(containing: server.uuid).isEmpty ? true : nil
    }
    try await status("stopped", of: server.id, client, withinSeconds: 180)
  }

  private func leavesNoTrace(
    _ server: APIClient.Server, _ client: APIClient, _ service: Service, _ endpoint: Endpoint
  ) async throws {
    try await client.deleteServer(server.id)
    expectEqual(try await client.send("GET", "/servers/\(server.id)/").status, 404)
    #expect(try await client.servers().isEmpty)
    _ = try await eventually("the end of every trace", withinSeconds: 180) {
      let isListed = try service.operate(["server", "list", "--json"]).contains(endpoint.address)
      let hasFiles = FileManager.default.fileExists(
        atPath: service.directory.path + "/data/servers/\(server.uuid)")
      return isListed || hasFiles || !processes(containing: server.uuid).isEmpty ? nil : true
    }
  }
}

// MARK: - Waiting

/// Where a server takes logins, once it is active.
func active(_ id: Int, _ client: APIClient, withinSeconds limit: Int = 600) async throws -> Endpoint {
  let server = try await eventually("an active server", withinSeconds: limit) {
    let server = try await client.server(id)
    if server.status == "error" {
      throw Command.Failed(description: "server \(id): \(server.statusReason ?? "no reason")")
    }
    return server.status == "active" ? server : nil
  }
  return Endpoint(address: try #require(server.ipAddress), port: server.sshPort)
}

func status(_ status: String, of id: Int, _ client: APIClient, withinSeconds limit: Int = 300) async throws {
  _ = try await eventually("status \(status)", withinSeconds: limit) {
    try await client.server(id).status == status ? true : nil
  }
}

/// The service sees within a second what a command has put into the catalogue.
func offers(_ system: String, _ client: APIClient) async throws {
  _ = try await eventually("\(system) in the catalogue", withinSeconds: 180) {
    try await client.send("GET", "/operating-systems/").text.contains(system) ? true : nil
  }
}
