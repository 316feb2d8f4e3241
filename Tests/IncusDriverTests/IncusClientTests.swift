import Foundation
import NIOHTTP1
import Synchronization
import TestSupport
import Testing

@testable import IncusDriver

@Suite("The client of the API of Incus")
struct IncusClientTests {
  private struct Named: Decodable, Equatable { let name: String }

  private static let named = IncusPath("instances", "a b/c?d", query: ["recursion": "1", "filter": "x eq y"])

  private func read(
    _ answer: ScriptedServer.Answer, within deadline: Duration = .seconds(60), mostBytes: Int = 1000
  ) async throws -> Named {
    var result: Result<Named, any Error> = .failure(IncusError.notFound)
    try await ScriptedServer.with({ _ in answer }) { _, endpoint async throws in
      let client = IncusClient(endpoint: endpoint, project: "default")
      do {
        result = .success(try await client.get(IncusPath("x"), within: deadline, mostBytes: mostBytes))
      } catch {
        result = .failure(error)
      }
    }
    return try result.get()
  }

  @Test("What is asked for is one path, whatever is in a name, and names the project")
  func path() async throws {
    try await ScriptedServer.with({ _ in .sync(#"{"name":"web"}"#) }) { server, endpoint async throws in
      let client = IncusClient(endpoint: endpoint, project: "vps servers")
      #expect(try await client.get(Self.named, as: Named.self, within: .seconds(60)) == Named(name: "web"))
      #expect(
        server.requests == [
          .init(
            method: "GET",
            path: "/1.0/instances/a%20b%2Fc%3Fd?recursion=1&filter=x%20eq%20y&project=vps%20servers", body: "",
            ifMatch: nil)
        ])
    }
  }

  @Test("What is sent has its length, its tag, and its keys in order")
  func sent() async throws {
    try await ScriptedServer.with({ _ in .sync("{}") }) { server, endpoint async throws in
      let client = IncusClient(endpoint: endpoint, project: "default")
      let body = JSONBody(["b": .flag(true), "a": .list([.number(1), .text("\"\n")]), "c": .texts(["k": "v/w"])])
      let operation = try await client.send(
        .init(method: .PATCH, path: IncusPath("x"), body: body.bytes, ifMatch: "tag", deadline: .seconds(60)))
      #expect(operation == nil)
      #expect(
        server.requests == [
          .init(
            method: "PATCH", path: "/1.0/x?project=default", body: #"{"a":[1,"\"\n"],"b":true,"c":{"k":"v/w"}}"#,
            ifMatch: "tag")
        ])
    }
  }

  @Test(
    "Codes that mean one thing are told apart, and no others",
    arguments: [
      (404, IncusError.notFound), (409, .exists), (412, .changed), (403, .forbidden("no")), (503, .unavailable("no")),
      (400, .refused("no")), (500, .refused("no")),
    ])
  func codes(_ status: Int, _ error: IncusError) async throws {
    await #expect(throws: error) { try await self.read(.error(status, "no")) }
  }

  @Test("A file is sent whole, in pieces, and whoever refuses it is heard")
  func upload() async throws {
    try await withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("image").path
      // More than one piece of it.
      let text = String(repeating: "0123456789abcdef", count: 20_000)
      try text.write(toFile: file, atomically: true, encoding: .utf8)
      try await ScriptedServer.with({ _ in .operation("7") }) { server, endpoint async throws in
        let client = IncusClient(endpoint: endpoint, project: "default")
        let sent = Mutex<Int64>(0)
        let operation = try await client.upload(file, to: IncusPath("images"), within: .seconds(60)) { bytes in
          sent.withLock { $0 = bytes }
        }
        #expect(operation?.id == "7" && sent.withLock { $0 } == text.utf8.count)
        #expect(server.requests.map(\.path) == ["/1.0/images?project=default"])
        #expect(server.requests.first?.body == text)
      }
      try await ScriptedServer.with({ _ in .error(403, "no") }) { _, endpoint async throws in
        let client = IncusClient(endpoint: endpoint, project: "default")
        await #expect(throws: IncusError.forbidden("no")) {
          _ = try await client.upload(file, to: IncusPath("images"), within: .seconds(60)) { _ in }
        }
      }
    }
  }

  @Test("A code without a reply of the API says the same")
  func bareCode() async throws {
    await #expect(throws: IncusError.unavailable("HTTP 503")) { try await self.read(.json(503, "<html>")) }
  }

  @Test("A server that says nothing is given up at the deadline")
  func silence() async throws {
    let limit = Duration.milliseconds(50)
    await #expect(throws: IncusError.noAnswer(within: limit)) { try await self.read(.silence, within: limit) }
  }

  @Test("A reply that breaks off, is too long, or is none, is an error")
  func badReplies() async throws {
    do {
      _ = try await read(.half)
      Issue.record("half a reply was taken for one")
    } catch IncusError.disconnected {}
    await #expect(throws: IncusError.tooLong(mostBytes: 1000)) { try await self.read(.endless(bytes: 1001)) }
    for text in ["", "[]", #"{"type":"sync","metadata":{"name":1}}"#, #"{"type":"sync"}"#] {
      do {
        _ = try await read(.json(200, text))
        Issue.record("\(text) was taken for a reply")
      } catch IncusError.unreadable {}
    }
  }

  @Test("A server that is not there, and a caller who goes away, end the call")
  func endings() async throws {
    let nowhere = IncusClient(endpoint: .socket(path: "/tmp/vpsd-no-such-socket"), project: "default")
    do {
      _ = try await nowhere.get(IncusPath("x"), as: Named.self, within: .seconds(60))
      Issue.record("nobody answered")
    } catch IncusError.disconnected {}
    let (asked, ask) = AsyncStream.makeStream(of: Void.self)
    try await ScriptedServer.with({ _ in
      ask.yield()
      return .silence
    }) { _, endpoint async throws in
      let call = Task {
        try await IncusClient(endpoint: endpoint, project: "default").get(
          IncusPath("x"), as: Named.self, within: .seconds(600))
      }
      for await _ in asked { break }
      call.cancel()
      await #expect(throws: CancellationError.self) { try await call.value }
    }
  }

  @Test("Work is waited for by its id, and its end is told by what it says")
  func operations() async throws {
    let ends: [(ScriptedServer.Answer, IncusError?)] = [
      (.ended("7", metadata: #"{"return":3,"output":{}}"#), nil),
      (.ended("7", code: 400, error: "it is busy"), .refused("it is busy")),
      (.ended("7", code: 401, error: "cancelled"), .refused("cancelled")),
      // Of a file of the server's own that was not there, and not of the work that is asked about.
      (
        .json(200, #"{"type":"error","error":"lstat x: no such file","error_code":404}"#),
        .refused("lstat x: no such file")
      ),
      (.ended("7", code: 103), .noAnswer(within: .seconds(20))), (.error(404, "forgotten"), .notFound),
    ]
    for (answer, error) in ends {
      try await ScriptedServer.with({ $0.method == "PUT" ? .operation("7") : answer }) {
        server, endpoint async throws in
        let client = IncusClient(endpoint: endpoint, project: "default")
        let request = IncusClient.Request(method: .PUT, path: IncusPath("x"), body: [], deadline: .seconds(60))
        if let error {
          await #expect(throws: error) { try await client.finish(request, within: .seconds(20)) }
        } else {
          #expect(try await client.finish(request, within: .seconds(20))?.exitCode == 3)
        }
        #expect(server.requests.last?.path == "/1.0/operations/7/wait?timeout=20&project=default")
      }
    }
  }

  @Test("Over TLS only the server with the known certificate is asked")
  func pinning() async throws {
    try await withTemporaryFolder { folder in
      let (cluster, other, client) = (
        try TestIdentity("cluster", in: folder), try TestIdentity("other", in: folder),
        try TestIdentity("client", in: folder)
      )
      try await ScriptedServer.withTLS(cluster, { _ in .sync(#"{"name":"web"}"#) }) { server, port async throws in
        func read(expecting identity: TestIdentity) async throws -> Named {
          let endpoint = try IncusEndpoint.https(
            host: "127.0.0.1", port: port, certificate: client.certificate, key: client.key,
            serverCertificate: identity.certificate)
          return try await IncusClient(endpoint: endpoint, project: "default").get(
            IncusPath("x"), within: .seconds(60))
        }
        #expect(try await read(expecting: cluster) == Named(name: "web"))
        await #expect(throws: IncusError.wrongCertificate) { _ = try await read(expecting: other) }
        #expect(server.requests.count == 1)
      }
    }
  }

  @Test("A file that is no certificate is named with its key")
  func unusableFiles() async throws {
    try await withTemporaryFolder { folder in
      let client = try TestIdentity("client", in: folder)
      let empty = folder.appendingPathComponent("empty").path
      try Data().write(to: URL(fileURLWithPath: empty))
      let attempts = [
        ("client_certificate", empty, client.key, client.certificate),
        ("client_key", client.certificate, empty, client.certificate),
        ("server_certificate", client.certificate, client.key, "\(empty)-not-there"),
      ]
      for (key, certificate, clientKey, server) in attempts {
        do {
          _ = try IncusEndpoint.https(
            host: "127.0.0.1", port: 1, certificate: certificate, key: clientKey, serverCertificate: server)
          Issue.record("\(key) was taken")
        } catch let error as IncusEndpoint.UnusableFile {
          #expect(error.key == key)
        }
      }
    }
  }
}
