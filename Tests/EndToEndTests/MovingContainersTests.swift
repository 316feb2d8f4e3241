import APIClient
import Foundation
import TestSupport
import Testing

/// Containers that move between two real Incus that know nothing of each other: Tests/Hosts/incus --others.
@Suite(
  "Servers that move from one Incus to another", .serialized,
  .enabled(if: ProcessInfo.processInfo.environment["VPSD_TEST_INCUS_OTHER"] != nil))
struct MovingContainersTests {
  private static let folder = ProcessInfo.processInfo.environment["VPSD_TEST_INCUS"] ?? ""
  private static let other = ProcessInfo.processInfo.environment["VPSD_TEST_INCUS_OTHER"] ?? ""

  /// The one over its socket, the other one over TLS.
  private static let file = """
    driver: simulated
    locations:
      us-west: {driver: incus, instance_type: container, address_pool: 127.90.0.0/16, socket: \(folder)/unix.socket}
      us-east:
        driver: incus
        instance_type: container
        address_pool: 127.91.0.0/16
        url: https://127.0.1.2:8443
        client_certificate: \(folder)/client.crt
        client_key: \(folder)/client.key
        server_certificate: \(other)/server.crt

    """
  private static let settings = ["VPSD_DRIVER": "simulated", "VPSD_OVERCOMMIT_STORAGE": "100"]

  struct Installation {
    let service: Service
    let login: Login
    let key: Int

    var client: APIClient { get throws { try service.client() } }

    /// One that has a file with this text, and some more on its disk.
    func server(_ name: String, with text: String) async throws -> APIClient.Server {
      let created = try await client.createServer(
        .init(name: name, planId: 3, osId: 3, location: "us-west", sshKeyId: key))
      let endpoint = try await active(created.id, client)
      let filling = "head -c 150000000 /dev/urandom > /root/filling; sha256sum /root/filling > /root/sum"
      _ = try login.run("\(filling); echo \(text) > /root/kept; sync", on: endpoint)
      return try await client.server(created.id)
    }

    func move(_ server: APIClient.Server, to location: String) async throws -> APIClient.Reply {
      try await client.send(
        "POST", "/servers/\(server.id)/move/", json: Data(#"{"location": "\#(location)"}"#.utf8))
    }

    /// A host to which the last move came to nothing takes none before it has looked at what that has left there.
    func isOrdered(toMove server: APIClient.Server, to location: String) async throws {
      _ = try await eventually("a host that takes it", withinSeconds: 180) {
        try await move(server, to: location).status == 200 ? true : nil
      }
    }

    /// Looks at what is in it, and returns it as the API tells of it.
    @discardableResult
    func has(_ text: String, _ server: APIClient.Server, at location: String) async throws -> APIClient.Server {
      let endpoint = try await active(server.id, client)
      let now = try await client.server(server.id)
      #expect(now.statusReason == nil)
      #expect(try await client.send("GET", "/servers/\(server.id)/").text.contains("\"location\":\"\(location)\""))
      let told = try login.run("hostname; cat /root/kept; sha256sum --quiet -c /root/sum && echo whole", on: endpoint)
      #expect(told == "\(server.name)\n\(text)\nwhole")
      return now
    }

    func completed(_ copy: APIClient.DiskCopy, in collection: String) async throws {
      let made = try await eventually("a completed copy", withinSeconds: 180) {
        let copy = try await client.copy(copy.id, in: collection)
        return copy.status == "pending" ? nil : copy
      }
      #expect(made.status == "completed", "\(made.statusReason ?? "")")
    }

    func restores(_ id: Int, from collection: String, _ server: APIClient.Server) async throws {
      _ = try await client.restore(id, from: collection)
      _ = try await eventually("the end of the restore", withinSeconds: 180) {
        try await client.server(server.id).status == "rebooting" ? nil : true
      }
      _ = try await active(server.id, client)
    }

    struct Move: Decodable {
      struct Places: Decodable {
        let oldIpAddress: String?
        let newIpAddress: String?
        let downtimeSeconds: Double?
      }
      let id: Int
      let kind: String
      let status: String
      let reason: String?
      let move: Places?
    }

    /// Those of the server that are over, the last one first.
    func moves(_ server: APIClient.Server) async throws -> [Move] {
      struct Page: Decodable { let results: [Move] }
      let text = try await client.send("GET", "/servers/\(server.id)/operations/?page_size=100").text
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      return try decoder.decode(Page.self, from: Data(text.utf8)).results.filter {
        $0.kind == "move" && ["succeeded", "failed"].contains($0.status)
      }.sorted { $0.id > $1.id }
    }

    func ends(_ server: APIClient.Server, move number: Int, withinSeconds limit: Int = 300) async throws -> Move {
      try await eventually("the end of move \(number)", withinSeconds: limit) {
        let ended = try await moves(server)
        return ended.count == number ? ended.first : nil
      }
    }

    /// Of the server there is one container, at its location, with so many copies, and nothing at the other one.
    func isAlone(_ server: APIClient.Server, at location: String, copies: Int) async throws {
      let elsewhere: Place = location == "us-west" ? .east : .west
      let place: Place = location == "us-west" ? .west : .east
      _ = try await eventually("one container, and no more", withinSeconds: 180) {
        let (here, there) = (try place.container(of: server), try elsewhere.container(of: server))
        let images = try (place.images(of: server), elsewhere.images(of: server))
        return here?.isDefined == true && there == nil && images.0.count == copies && images.1.isEmpty
          && images.0.allSatisfy { !$0.isTransfer } ? true : nil
      }
      let checked = try service.checked()
      #expect(checked.status == 0, "\(checked.output)")
    }

    func endsWithNothing() async throws {
      for server in try await client.servers() { try await client.deleteServer(server.id) }
      _ = try await eventually("the end of every trace", withinSeconds: 180) {
        try [Place.west, .east].allSatisfy {
          try $0.containers().isEmpty && $0.images().allSatisfy { $0.machine == nil }
        }
          ? true : nil
      }
    }
  }

  /// One of the two, as it tells by itself.
  struct Place {
    static let west = Place(name: "m1", folder: "\(MovingContainersTests.folder)/../m1")
    static let east = Place(name: "m2", folder: MovingContainersTests.other)

    let name: String
    let folder: String

    struct Container: Decodable {
      let name: String
      let statusCode: Int
      let config: [String: String]

      var isDefined: Bool { config["user.vpsd.defined"] == "true" }
    }
    struct Image: Decodable {
      let fingerprint: String
      let properties: [String: String]

      var machine: String? { properties["vpsd.machine"] }
      var isTransfer: Bool { properties["vpsd.transfer"].map { !$0.isEmpty } ?? false }
    }
    private struct Told<Metadata: Decodable>: Decodable { let metadata: Metadata? }
    private struct Work: Decodable { let statusCode: Int }

    /// Nil where there is no such thing. A client of its own would take longer than what is looked for.
    private func told<Metadata: Decodable>(_ path: String, as: Metadata.Type) throws -> Metadata? {
      let text = try Command.output(
        "/usr/bin/curl", ["--silent", "--unix-socket", "\(folder)/unix.socket", "http://incus/1.0/\(path)"])
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      return try? decoder.decode(Told<Metadata>.self, from: Data(text.utf8)).metadata
    }

    func containers() throws -> [Container] { try told("instances?recursion=1", as: [Container].self) ?? [] }
    func container(of server: APIClient.Server) throws -> Container? {
      try told("instances/vps-\(server.uuid)", as: Container.self)
    }
    func images() throws -> [Image] { try told("images?recursion=1", as: [Image].self) ?? [] }
    func images(of server: APIClient.Server) throws -> [Image] { try images().filter { $0.machine == server.uuid } }
    func isAtWork() throws -> Bool {
      try told("operations?recursion=1", as: [String: [Work]].self)?.values.joined().contains { $0.statusCode < 200 }
        ?? false
    }

    /// What becomes of its daemon.
    func member(_ fate: String) throws {
      _ = try Command.output(
        "\(MovingContainersTests.folder)/member", [fate, String(name.dropFirst())], limitSeconds: 240)
    }

    /// Nearly all of its pool is taken by somebody else until the body is over.
    func whileFull(_ body: () async throws -> Void) async throws {
      let process = try String(contentsOfFile: "\(folder).pid", encoding: .utf8)
        .trimmingCharacters(in: .whitespacesAndNewlines)
      let pool = "/proc/\(process)/root\(folder)/storage-pools/default"
      _ = try Command.output(
        "/bin/sh",
        [
          "-c", "free=$(df --output=avail -B1M \"$1\" | tail -1) && fallocate -l $((free - 40))M \"$1/filling\"",
          "fill", pool,
        ])
      do {
        try await body()
      } catch {
        try? FileManager.default.removeItem(atPath: "\(pool)/filling")
        throw error
      }
      try FileManager.default.removeItem(atPath: "\(pool)/filling")
    }
  }

  static func with(_ body: (Installation) async throws -> Void) async throws {
    try await Service.with(settings, file: file) { service in
      let login = try Login(in: service.directory)
      let key = try await service.client().createSSHKey(.init(name: "test", publicKey: login.publicKey))
      try await body(Installation(service: service, login: login, key: key.id))
    }
  }

  @Test("One goes there and back, with its files and its copies, is reached at a new address, and leaves nothing")
  func thereAndBack() async throws {
    try await Self.with { installation in
      let before = try await installation.server("moving", with: "first")
      let client = try installation.client
      let backup = try await client.createBackup(.init(serverId: before.id, description: "by hand"))
      try await installation.completed(backup, in: "backups")
      let endpoint = Endpoint(address: try #require(before.ipAddress), port: 22)
      _ = try installation.login.run("echo second > /root/kept; sync", on: endpoint)
      let snapshot = try await client.createSnapshot(.init(serverId: before.id, name: "second"))
      try await installation.completed(snapshot, in: "snapshots")
      _ = try installation.login.run("echo third > /root/kept; sync", on: endpoint)

      let reply = try await installation.move(before, to: "us-east")
      #expect(reply.status == 200, "\(reply)")
      let move = try await installation.ends(before, move: 1)
      #expect(move.status == "succeeded", "\(move)")
      let after = try await installation.has("third", before, at: "us-east")
      #expect(after.ipAddress != before.ipAddress && after.ipAddress?.hasPrefix("127.91.") == true)
      #expect(move.move?.oldIpAddress == before.ipAddress && move.move?.newIpAddress == after.ipAddress)
      print("moved with two copies; it was off for \(move.move?.downtimeSeconds ?? -1) s")
      try await installation.isAlone(before, at: "us-east", copies: 2)
      #expect(throws: (any Error).self) { try installation.login.run("true", on: endpoint) }

      try await installation.restores(backup.id, from: "backups", before)
      try await installation.has("first", before, at: "us-east")
      // From what was put back of an image that came, too.
      expectEqual(try await installation.move(before, to: "us-west").status, 200)
      expectEqual(try await installation.ends(before, move: 2).status, "succeeded")
      try await installation.has("first", before, at: "us-west")
      try await installation.isAlone(before, at: "us-west", copies: 2)
      try await installation.restores(snapshot.id, from: "snapshots", before)
      try await installation.has("second", before, at: "us-west")
      try await installation.endsWithNothing()
    }
  }
}
