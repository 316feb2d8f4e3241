import APIClient
import Foundation
import TestSupport
import Testing

/// Three services on one database and on one cluster, of which the tests kill some, and stop others in the middle of what they do:
/// Tests/Hosts/incus --members 3.
@Suite(
  "Several services on one cluster", .serialized,
  .enabled(if: ProcessInfo.processInfo.environment["VPSD_TEST_INCUS_MEMBERS"] == "3"))
struct SharedClusterTests {
  private static let isLong = ProcessInfo.processInfo.environment["VPSD_LONG_TESTS"] != nil

  private struct Installation {
    let services: [Service]
    let database: TestPostgreSQL.Database
    let login: Login
    let key: Int
    private let token: String

    init(_ services: [Service], _ database: TestPostgreSQL.Database) async throws {
      self.services = services
      self.database = database
      login = try Login(in: services[0].directory)
      token = try String(contentsOfFile: services[0].data + "/token", encoding: .utf8)
        .trimmingCharacters(in: .whitespacesAndNewlines)
      key = try await services[0].client().createSSHKey(.init(name: "test", publicKey: login.publicKey)).id
    }

    func client(_ service: Service) throws -> APIClient { try service.client(token: token) }

    /// Of those that are heard of, the one that has the cluster, once one has it, and two others or one.
    func roles() async throws -> (holder: Service, others: [Service]) {
      let holder = try await eventually("somebody has the cluster", withinSeconds: 180) { try currentHolder() }
      return (holder, services.filter { $0 !== holder && $0.processID != nil })
    }

    /// Nil while nobody has it, as between two terms.
    private func currentHolder() throws -> Service? {
      let names = try RawPostgreSQL(database.url).rows(
        """
        SELECT replica.name FROM duty JOIN replica ON replica.id = duty.replica_id
        WHERE duty.name = 'location us-west' AND duty.expires_at > vpsd_now()
        """)
      let process = names.first?.first??.split(separator: ":").last.flatMap { pid_t($0) }
      return process.flatMap { process in services.first { $0.processID == process } }
    }

    /// Once another one has the cluster.
    func successor(of former: Service) async throws -> Service {
      try await eventually("another service has the cluster", withinSeconds: 180) { () -> Service? in
        guard let holder = try currentHolder(), holder !== former else { return nil }
        return holder
      }
    }

    func order(_ name: String, at service: Service) async throws -> APIClient.Server {
      try await client(service).createServer(.init(name: name, planId: 3, osId: 3, location: "us-west", sshKeyId: key))
    }

    func answers(_ server: APIClient.Server, at service: Service) async throws -> Endpoint {
      let endpoint = try await active(server.id, client(service), withinSeconds: 300)
      _ = try await eventually("a login to \(server.name)", withinSeconds: 180) {
        (try? login.run("hostname", on: endpoint)) == server.name ? true : nil
      }
      return endpoint
    }

    /// When the guest's first process was started, which tells whether it was started again.
    func start(of endpoint: Endpoint) throws -> String {
      try login.run("cut -d ' ' -f 22 /proc/1/stat", on: endpoint)
    }

    /// One that was stopped goes on, and is heard of for some seconds, in which it could do what it was about to.
    func wake(_ service: Service) async throws {
      let process = try #require(service.processID)
      let began = try #require(try RawPostgreSQL(database.url).rows("SELECT vpsd_now()").first?.first ?? nil)
      Foundation.kill(process, SIGCONT)
      _ = try await eventually("it is heard of", withinSeconds: 180) { () -> Bool? in
        let heard = try RawPostgreSQL(database.url).rows(
          "SELECT 1 FROM replica WHERE name LIKE '%:\(process)' AND seen_at > \(began) + 4000")
        return heard.isEmpty ? nil : true
      }
    }

    func endsWithNothing() async throws {
      let service = try await roles().others[0]
      for server in try await client(service).servers() { try await client(service).deleteServer(server.id) }
      _ = try await eventually("the end of every trace", withinSeconds: 180) {
        try ClusterServersTests.instances().isEmpty ? true : nil
      }
      let checked = try service.checked()
      #expect(checked.status == 0, "\(checked.output)")
    }
  }

  private static func with(_ body: (Installation) async throws -> Void) async throws {
    let database = try await TestPostgreSQL.Database(empty: ())
    try await withTemporaryFolder { folder in
      let settings = ClusterServersTests.settings.merging([
        "VPSD_DATABASE": database.url, "VPSD_SIMULATED_DIR": folder.path,
      ]) { $1 }
      try await Service.together(3, settings, file: ClusterServersTests.file) { services in
        try await body(try await Installation(services, database))
      }
    }
    // What they added to the trust store they removed at their end.
    expectEqual(try terms(), [])
  }

  /// The certificates of terms that the cluster trusts, by their names.
  private static func terms() throws -> [String] {
    let text = try Command.output(
      "/usr/bin/curl",
      [
        "--silent", "--unix-socket", "\(ClusterServersTests.folder)/unix.socket",
        "http://incus/1.0/certificates?recursion=1",
      ])
    return text.matches(of: /"name":"(vpsd [^"]* term [0-9]+)"/).map { String($0.output.1) }
  }

  private static func seconds(since began: ContinuousClock.Instant) -> Double {
    let (seconds, attoseconds) = (ContinuousClock.now - began).components
    return Double(seconds) + Double(attoseconds) / 1e18
  }

  @Test(
    "Any service is asked, one acts, and when that one is killed or hangs another one does within ten seconds; what hung and wakes changes nothing"
  )
  func takenOver() async throws {
    try await Self.with { installation in
      let others = try await installation.roles().others
      let server = try await installation.order("web", at: others[0])
      let endpoint = try await installation.answers(server, at: others[1])
      expectEqual(try Self.terms().count, 1)
      // By the one that has the host, whoever is asked.
      let hash = try installation.login.run("grep ^root: /etc/shadow", on: endpoint)
      for service in installation.services {
        let reset = try await installation.client(service).send("POST", "/servers/\(server.id)/reset-password/")
        #expect(reset.status == 200 && reset.text.contains(#""password":"#), "\(reset.text)")
      }
      #expect(try installation.login.run("grep ^root: /etc/shadow", on: endpoint) != hash)
      let seen = try await installation.client(others[1]).server(server.id)
      #expect(seen.status == "active" && seen.statusReason == nil)
      for fate in [SIGKILL, SIGSTOP] {
        let (holder, others) = try await installation.roles()
        let client = try installation.client(others[0])
        let former = try Self.terms()
        let start = try installation.start(of: endpoint)
        Foundation.kill(try #require(holder.processID), fate)
        let began = ContinuousClock.now
        _ = try await client.perform("reboot", on: server.id)
        _ = try await installation.successor(of: holder)
        let taken = Self.seconds(since: began)
        _ = try await eventually("its certificate alone is trusted", withinSeconds: 180) { () -> Bool? in
          let now = try Self.terms()
          return now.count == 1 && now != former ? true : nil
        }
        let heeded = Self.seconds(since: began)
        _ = try await eventually("it is started again", withinSeconds: 180) {
          (try? installation.start(of: endpoint)).map { $0 != start } == true ? true : nil
        }
        let acting = Self.seconds(since: began)
        print("signal \(fate): taken over after \(taken) s, heeded after \(heeded) s, acting after \(acting) s")
        #expect(heeded <= 15)
        _ = try await installation.answers(server, at: others[0])
        if fate == SIGKILL { try await holder.start() } else { try await installation.wake(holder) }
      }
      try await installation.endsWithNothing()
    }
  }

  @Test("One that hangs at any moment of a rebuild and wakes when another one has ended it does nothing a second time")
  func hungInRebuild() async throws {
    try await Self.with { installation in
      let server = try await installation.order("web", at: installation.services[0])
      _ = try await installation.answers(server, at: installation.services[0])
      for round in 0..<(Self.isLong ? 12 : 2) {
        let (holder, others) = try await installation.roles()
        let client = try installation.client(others[0])
        let endpoint = try await installation.answers(server, at: others[0])
        _ = try installation.login.run("touch /root/before; sync", on: endpoint)
        _ = try await client.rebuild(server.id)
        // From its order on a rebuild takes a second or two.
        try await Task.sleep(for: .milliseconds(150 * round))
        Foundation.kill(try #require(holder.processID), SIGSTOP)
        let began = ContinuousClock.now
        _ = try await installation.successor(of: holder)
        _ = try await eventually("the end of the rebuild", withinSeconds: 300) { () -> Bool? in
          guard try await client.server(server.id).status == "active" else { return nil }
          return (try? installation.login.run("ls /root", on: endpoint)) == "" ? true : nil
        }
        print("round \(round): rebuilt \(Self.seconds(since: began)) s after the service hung")
        _ = try installation.login.run("echo \(round) >/root/kept; sync", on: endpoint)
        let start = try installation.start(of: endpoint)
        try await installation.wake(holder)
        expectEqual(try installation.login.run("cat /root/kept", on: endpoint), "\(round)")
        expectEqual(try installation.start(of: endpoint), start)
        // The one that woke may be given the cluster again, because it has nothing.
        _ = try await eventually("one certificate", withinSeconds: 180) { try Self.terms().count == 1 ? true : nil }
      }
      try await installation.endsWithNothing()
    }
  }

  @Test(
    "One that hangs at any moment of a move between members leaves the server on one, with its files and its address",
    .enabled(if: isLong, "VPSD_LONG_TESTS"))
  func hungInMove() async throws {
    try await Self.with { installation in
      let server = try await installation.order("web", at: installation.services[0])
      let endpoint = try await installation.answers(server, at: installation.services[0])
      func member() throws -> String? { try ClusterServersTests.instances()["vps-\(server.uuid)"]?.member }
      for round in 0..<8 {
        let (holder, others) = try await installation.roles()
        let from = try #require(try member())
        _ = try installation.login.run("echo \(round) >/root/kept; sync", on: endpoint)
        _ = try others[0].operate(["host", "drain", "us-west/\(from)", "--move"])
        // It is off for some seconds.
        try await Task.sleep(for: .milliseconds(900 * round))
        Foundation.kill(try #require(holder.processID), SIGSTOP)
        let began = ContinuousClock.now
        _ = try await installation.successor(of: holder)
        _ = try await eventually("the end of the move", withinSeconds: 180) { () -> Bool? in
          guard let member = try? member(), member != from else { return nil }
          let now = try await installation.client(others[0]).server(server.id)
          guard now.status == "active", now.statusReason == nil else { return nil }
          return (try? installation.login.run("cat /root/kept", on: endpoint)) == "\(round)" ? true : nil
        }
        print("round \(round): moved \(Self.seconds(since: began)) s after the service hung")
        let (to, start) = (try member(), try installation.start(of: endpoint))
        try await installation.wake(holder)
        #expect(try member() == to && installation.start(of: endpoint) == start)
        expectEqual(try installation.login.run("cat /root/kept", on: endpoint), "\(round)")
        _ = try others[0].operate(["host", "undrain", "us-west/\(from)"])
      }
      try await installation.endsWithNothing()
    }
  }
}
