import APIClient
import Foundation
import TestSupport
import Testing

/// Servers on three members of a real cluster, of which the tests kill and freeze some: Tests/Hosts/incus --members 3.
@Suite(
  "Servers on the members of a cluster", .serialized,
  .enabled(if: ProcessInfo.processInfo.environment["VPSD_TEST_INCUS_MEMBERS"] == "3"))
struct ClusterServersTests {
  static let folder = ProcessInfo.processInfo.environment["VPSD_TEST_INCUS"] ?? ""
  static let away = "The host of this server does not answer at the moment."

  static let file = """
    driver: simulated
    locations:
      us-west:
        driver: incus
        instance_type: container
        address_pool: 127.90.0.0/16
        members: [m1, m2, m3]
        urls: ['https://127.0.1.1:8443', 'https://127.0.1.2:8443', 'https://127.0.1.3:8443']
        client_certificate: \(folder)/client.crt
        client_key: \(folder)/client.key
        server_certificate: \(folder)/server.crt

    """
  static let settings = ["VPSD_DRIVER": "simulated", "VPSD_OVERCOMMIT_STORAGE": "100"]

  /// What becomes of a member by its number.
  private enum Fate: String { case kill, lose, freeze, thaw, start }

  private static func member(_ number: Int, _ fate: Fate) throws {
    _ = try Command.output("\(folder)/member", [fate.rawValue, String(number)], limitSeconds: 240)
  }

  /// Where each container is, and whether it runs, as another member tells.
  static func instances(asking number: Int = 2) throws -> [String: (member: String, isOn: Bool)] {
    let folder = URL(fileURLWithPath: folder).deletingLastPathComponent().appendingPathComponent("m\(number)").path
    let text = try Command.output(
      TestIncus.client, ["list", "--format", "csv", "--columns", "nLs"],
      environment: ["INCUS_DIR": folder, "LXD_DIR": folder])
    return text.split(separator: "\n").reduce(into: [:]) { found, line in
      let parts = line.split(separator: ",").map(String.init)
      if parts.count == 3 { found[parts[0]] = (parts[1], parts[2] == "RUNNING") }
    }
  }

  struct Installation {
    let service: Service
    let login: Login
    let key: Int

    var client: APIClient { get throws { try service.client() } }

    func order(_ name: String) async throws -> APIClient.Server {
      try await client.createServer(.init(name: name, planId: 3, osId: 3, location: "us-west", sshKeyId: key))
    }

    func answers(_ server: APIClient.Server, withinSeconds limit: Int = 300) async throws {
      let endpoint = try await active(server.id, client, withinSeconds: limit)
      // One whose host has just come back counts as active until the first look at it.
      _ = try await eventually("a login to \(server.name)", withinSeconds: limit) {
        (try? login.run("hostname", on: endpoint)) == server.name ? true : nil
      }
    }

    /// Records and machines, as `vpsd check` tells.
    func agrees() throws {
      let checked = try service.checked()
      #expect(checked.status == 0, "\(checked.output)")
    }

    func isAway(_ server: APIClient.Server) async throws -> Bool {
      try await client.server(server.id).statusReason == ClusterServersTests.away
    }

    /// - Parameter foreign: What is not ours, and stays.
    func endsWithNothing(but foreign: Set<String> = []) async throws {
      for server in try await client.servers() { try await client.deleteServer(server.id) }
      _ = try await eventually("the end of every trace", withinSeconds: 180) {
        try Set(ClusterServersTests.instances().keys) == foreign ? true : nil
      }
    }
  }

  static func with(_ body: (Installation) async throws -> Void) async throws {
    try await Service.with(settings, file: file) { service in
      let login = try Login(in: service.directory)
      let key = try await service.client().createSSHKey(.init(name: "test", publicKey: login.publicKey))
      try await body(Installation(service: service, login: login, key: key.id))
    }
  }

  /// By member, of those that are defined as its host's.
  private static func byMember(_ servers: [APIClient.Server]) throws -> [String: [APIClient.Server]] {
    let instances = try instances()
    return Dictionary(grouping: servers) { instances["vps-\($0.uuid)"]?.member ?? "none" }
  }

  @Test("Servers spread over the members, and a drained one gets no new ones")
  func spread() async throws {
    try await Self.with { installation in
      var servers: [APIClient.Server] = []
      for number in 1...6 { servers.append(try await installation.order("web-\(number)")) }
      for server in servers { try await installation.answers(server) }
      expectEqual(try Self.byMember(servers).mapValues(\.count), ["m1": 2, "m2": 2, "m3": 2])
      let hosts = try installation.service.operate(["host", "list"])
      for name in ["us-west/m1", "us-west/m2", "us-west/m3"] { #expect(hosts.contains(name), "\(hosts)") }
      _ = try installation.service.operate(["host", "drain", "us-west/m2"])
      servers = []
      for number in 7...9 { servers.append(try await installation.order("web-\(number)")) }
      for server in servers { try await installation.answers(server) }
      #expect(try Self.byMember(servers)["m2"] == nil)
      #expect(
        try installation.service.checked().output.hasSuffix("9 server(s): the records agree, and so do the machines."))
      try await installation.endsWithNothing()
    }
  }

  @Test("The servers of a drained member move to the others, with their addresses and disks, and stay as they were")
  func drains() async throws {
    try await Self.with { installation in
      var servers: [APIClient.Server] = []
      for number in 1...6 { servers.append(try await installation.order("web-\(number)")) }
      for server in servers { try await installation.answers(server) }
      let moving = try #require(try Self.byMember(servers)["m2"])
      let stopped = try #require(moving.last)
      _ = try await installation.client.perform("stop", on: stopped.id)
      var addresses: [Int: String?] = [:]
      for server in moving {
        let now = try await eventually("its end", withinSeconds: 180) {
          let now = try await installation.client.server(server.id)
          return now.status == (server.id == stopped.id ? "stopped" : "active") ? now : nil
        }
        addresses[server.id] = now.ipAddress
        if let address = now.ipAddress, now.status == "active" {
          _ = try installation.login.run(
            "echo \(server.name) >/root/kept; sync", on: Endpoint(address: address, port: 22))
        }
      }
      let began = ContinuousClock.now
      _ = try installation.service.operate(["host", "drain", "us-west/m2", "--move"])
      _ = try await eventually("an empty member", withinSeconds: 180) {
        try Self.byMember(servers)["m2"] == nil ? true : nil
      }
      for server in moving {
        if server.id == stopped.id { _ = try await installation.client.perform("start", on: server.id) }
        try await installation.answers(server)
        let now = try await installation.client.server(server.id)
        #expect(now.ipAddress == addresses[server.id] && now.statusReason == nil)
        if server.id != stopped.id {
          let endpoint = Endpoint(address: try #require(now.ipAddress), port: 22)
          expectEqual(try installation.login.run("cat /root/kept", on: endpoint), server.name)
        }
      }
      print("\(moving.count) servers moved in \(ContinuousClock.now - began)")
      _ = try installation.service.operate(["host", "undrain", "us-west/m2"])
      try installation.agrees()
      try await installation.endsWithNothing()
    }
  }

  @Test(
    "The servers of a member that dies say so within half a minute, nobody else's wait, and they are there when it is back"
  )
  func death() async throws {
    try await Self.with { installation in
      var servers: [APIClient.Server] = []
      for number in 1...6 { servers.append(try await installation.order("web-\(number)")) }
      for server in servers { try await installation.answers(server) }
      let byMember = try Self.byMember(servers)
      let (lost, kept) = (try #require(byMember["m3"]), try #require(byMember["m1"]) + (byMember["m2"] ?? []))
      // An operator's own, which is none of ours, and one that bears our name and no mark.
      for name in ["theirs", "vps-\(UUID().uuidString.lowercased())"] {
        _ = try Command.output(
          TestIncus.client, ["init", "--empty", name, "--storage", "default", "--target", "m3"])
      }
      let foreign = Set(try Self.instances().keys).subtracting(servers.map { "vps-\($0.uuid)" })
      try Self.member(3, .lose)
      let began = ContinuousClock.now
      let longest = try await installation.othersGoOn(
        kept, without: "m3",
        until: {
          for server in lost {
            guard try await installation.isAway(server) else { return false }
          }
          return true
        })
      let silence = ContinuousClock.now - began
      print("a lost member: its servers said so after \(silence); the slowest create elsewhere took \(longest)")
      // On a quiet host 22 to 24 s were seen; each look for it takes seconds.
      #expect(silence <= .seconds(45))
      // What is ordered for its servers meanwhile waits, and is done when it is back.
      try await installation.client.deleteServer(lost[0].id)
      try Self.member(3, .start)
      _ = try await eventually("the host is back", withinSeconds: 180) {
        try await installation.isAway(lost[1]) ? nil : true
      }
      try await installation.answers(lost[1], withinSeconds: 180)
      _ = try await eventually("the end of the deleted one", withinSeconds: 180) {
        try Self.instances()["vps-\(lost[0].uuid)"] == nil ? true : nil
      }
      try installation.agrees()
      try await installation.endsWithNothing(but: foreign)
      for name in foreign { _ = try Command.output(TestIncus.client, ["delete", name]) }
    }
  }

  @Test("A member that hangs keeps nobody else's servers waiting")
  func hangs() async throws {
    try await Self.with { installation in
      var servers: [APIClient.Server] = []
      for number in 1...3 { servers.append(try await installation.order("web-\(number)")) }
      for server in servers { try await installation.answers(server) }
      let byMember = try Self.byMember(servers)
      let lost = try #require(byMember["m3"]?.first)
      try Self.member(3, .freeze)
      let began = ContinuousClock.now
      let longest: Duration
      do {
        longest = try await installation.othersGoOn(
          (byMember["m1"] ?? []) + (byMember["m2"] ?? []), without: "m3",
          until: {
            try await installation.isAway(lost)
          })
      } catch {
        try Self.member(3, .thaw)
        throw error
      }
      print(
        "a frozen member: its server said so after \(ContinuousClock.now - began); the slowest create took \(longest)")
      try Self.member(3, .thaw)
      _ = try await eventually("the host is back", withinSeconds: 180) {
        try await installation.isAway(lost) ? nil : true
      }
      for server in try await installation.client.servers() { try await installation.answers(server) }
      // What the member was told to make before it was found to hang, it makes now, although its server was deleted meanwhile: the
      // next look removes it.
      _ = try await eventually("that records and machines agree", withinSeconds: 180) {
        try installation.service.checked().status == 0 ? true : nil
      }
      try await installation.endsWithNothing()
    }
  }

  @Test("The member that is asked can die: another one is asked")
  func endpoint() async throws {
    try await Self.with { installation in
      let first = try await installation.order("web-1")
      try await installation.answers(first)
      try Self.member(1, .kill)
      let longest = try await installation.othersGoOn(
        [], without: "m1",
        until: {
          try installation.service.operate(["host", "list"]).contains("away")
        })
      print("the member that was asked is killed: the slowest create took \(longest)")
      try Self.member(1, .start)
      _ = try await eventually("the host is back", withinSeconds: 180) {
        try installation.service.operate(["host", "list"]).contains("away") ? nil : true
      }
      try installation.agrees()
      try await installation.endsWithNothing()
    }
  }

  @Test(
    "A service that is killed again and again while servers are made and deleted leaves none wrong, and none behind")
  func killed() async throws {
    try await Self.with { installation in
      var wanted: Set<String> = []
      for round in 1...8 {
        var made: [APIClient.Server] = []
        for number in 1...3 { made.append(try await installation.order("web-\(round)-\(number)")) }
        wanted.formUnion(made.map(\.uuid))
        // Those of the round before are deleted in the middle of it.
        let old = try await installation.client.servers().filter { !$0.name.hasPrefix("web-\(round)-") }
        for server in old { try await installation.client.deleteServer(server.id) }
        wanted.subtract(old.map(\.uuid))
        // Each time a little later, over all that a create and a delete do.
        try await Task.sleep(for: .milliseconds(150 + 330 * round))
        try installation.service.kill()
        try await installation.service.start()
      }
      for server in try await installation.client.servers() { try await installation.answers(server) }
      _ = try await eventually("the end of all that were deleted", withinSeconds: 180) {
        try Set(Self.instances().keys) == Set(wanted.map { "vps-\($0)" }) ? true : nil
      }
      try installation.agrees()
      try await installation.endsWithNothing()
    }
  }
}

extension ClusterServersTests.Installation {
  /// Servers are made on the other members and deleted again, and those that are there answer and know of no trouble, until what is waited for
  /// is so, or three minutes are over. Returns how long the slowest took to be active.
  fileprivate func othersGoOn(
    _ others: [APIClient.Server], without lost: String, until isOver: () async throws -> Bool
  ) async throws -> Duration {
    var count = 0
    let deadline = ContinuousClock.now + .seconds(180)
    var longest = Duration.zero
    while try await !isOver() {
      guard ContinuousClock.now < deadline else { throw NotInTime(description: "not within 180 s") }
      for server in others {
        let now = try await client.server(server.id)
        #expect(now.status == "active" && now.statusReason == nil, "\(now)")
        expectEqual(
          try login.run("hostname", on: Endpoint(address: try #require(now.ipAddress), port: 22)), server.name)
      }
      // One for each member, the one that is lost too, where it waits.
      let began = ContinuousClock.now
      var created: [APIClient.Server] = []
      for _ in 1...3 { created.append(try await order("meanwhile")) }
      let waiting = try service.operate(["server", "list", "--host", "us-west/\(lost)", "--json"])
      for server in created where !waiting.contains(server.uuid) {
        try await answers(server, withinSeconds: 180)
        longest = max(longest, ContinuousClock.now - began)
        count += 1
      }
      for server in created { try await client.deleteServer(server.id) }
    }
    #expect(count > 0)
    return longest
  }
}
