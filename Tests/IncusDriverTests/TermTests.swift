import Core
import Foundation
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOSSL
import Synchronization
import TestSupport
import Testing

@testable import IncusDriver

/// Several services share one Incus, which is a trust store and nothing else here.
@Suite("A service acts on a shared Incus for a term, and for no other")
struct TermTests {
  private struct Certificate: Sendable {
    let name: String
    let encoded: [UInt8]
  }

  /// What an Incus does with certificates.
  private final class TrustStore: Sendable {
    private struct Posted: Decodable {
      let name: String
      let certificate: String
    }

    private let certificates: Mutex<[Certificate]>
    private let environment: String

    init(operator certificate: [UInt8], environment: String) {
      self.environment = environment
      certificates = Mutex([Certificate(name: "vpsd", encoded: certificate)])
    }

    var names: [String] { certificates.withLock { $0.map(\.name) } }

    func removeAll(named name: String) { certificates.withLock { $0.removeAll { $0.name == name } } }

    func trusts(_ client: [UInt8]?) -> Bool {
      certificates.withLock { certificates in certificates.contains { $0.encoded == client } }
    }

    func answer(_ request: ScriptedServer.Request) -> ScriptedServer.Answer {
      let path = String(request.path.prefix { $0 != "?" })
      let isTrusted = trusts(request.client)
      if path == "/1.0" {
        let auth = isTrusted ? "trusted" : "untrusted"
        return .sync(#"{"auth":"\#(auth)","api_extensions":[],"environment":\#(environment)}"#)
      }
      guard isTrusted else { return .error(403, "not authorized") }
      switch (request.method, path) {
      case ("GET", "/1.0/certificates"): return list()
      case ("POST", "/1.0/certificates"):
        guard let posted = try? JSONDecoder().decode(Posted.self, from: Data(request.body.utf8)),
          let encoded = Data(base64Encoded: posted.certificate)
        else { return .error(400, "no certificate") }
        certificates.withLock { $0.append(Certificate(name: posted.name, encoded: Array(encoded))) }
        return .sync("null")
      case ("DELETE", _):
        certificates.withLock { certificates in
          certificates.removeAll { path.hasSuffix(ClientIdentity.fingerprint(of: $0.encoded)) }
        }
        return .sync("null")
      default: return .sync("null")
      }
    }

    private func list() -> ScriptedServer.Answer {
      let entries = certificates.withLock { certificates in
        certificates.map { #"{"name":"\#($0.name)","fingerprint":"\#(ClientIdentity.fingerprint(of: $0.encoded))"}"# }
      }
      return .sync("[\(entries.joined(separator: ","))]")
    }
  }

  private static let installation = UUID()
  private static let change = IncusClient.Request(
    method: .PATCH, path: IncusPath("instances", "a"), body: Array("{}".utf8), deadline: .seconds(60))

  /// With the clusters of two services, which are one.
  private static func with(
    environment: String = #"{"server":"incus","server_clustered":true}"#,
    _ body: (TrustStore, ScriptedServer, _ one: IncusCluster, _ other: IncusCluster) async throws -> Void
  ) async throws {
    try await withTemporaryFolder { folder in
      let (identity, client) = (try TestIdentity("incus", in: folder), try TestIdentity("client", in: folder))
      let own = try #require(try NIOSSLCertificate.fromPEMFile(client.certificate).first)
      let trust = TrustStore(operator: try own.toDERBytes(), environment: environment)
      try await ScriptedServer.withTLS(identity, asksWho: true, { trust.answer($0) }) { server, port async throws in
        func cluster() throws -> IncusCluster {
          let endpoint = try IncusEndpoint.https(
            host: "127.0.0.1", port: port, certificate: client.certificate, key: client.key,
            serverCertificate: identity.certificate)
          return IncusCluster(
            endpoints: IncusEndpoints([endpoint]), project: "default", installation: installation, sharedAs: "eu-1",
            clock: SystemClock(), dialect: .incus)
        }
        try await body(trust, server, try cluster(), try cluster())
      }
    }
  }

  private static func term(
    _ number: Int64, of cluster: IncusCluster, clock: any WallClock = SystemClock(),
    isHeld: @escaping @Sendable () async throws -> Bool = { true }
  ) throws -> IncusTerm {
    let term = IncusTerm(number, of: cluster, clock: clock, logger: Logger(label: "terms"), isHeld: isHeld)
    return try #require(term)
  }

  private static func changes(_ cluster: IncusCluster) async -> (any Error)? {
    do {
      _ = try await cluster.acting.send(change)
      return nil
    } catch {
      return error
    }
  }

  private static func name(_ term: Int) -> String { "vpsd \(installation.text) eu-1 term \(term)" }

  @Test("Nothing is changed without a term, and in one by its certificate alone, which is gone after it")
  func whole() async throws {
    try await Self.with { trust, server, cluster, _ in
      #expect(await Self.changes(cluster) as? IncusError == .elsewhere)
      let outcome = Mutex<(any Error)?>(IncusError.changed)
      try await Self.term(3, of: cluster).hold {
        let error = await Self.changes(cluster)
        outcome.withLock { $0 = error }
        #expect(trust.names == ["vpsd", Self.name(3)])
        #expect(throws: Never.self) { try cluster.requireHeed() }
        // What the API does for a customer is none of the term's tasks.
        #expect(await Task.detached { await Self.changes(cluster) }.value == nil)
      }
      #expect(outcome.withLock { $0 } == nil)
      #expect(trust.names == ["vpsd"])
      #expect(await Self.changes(cluster) as? IncusError == .elsewhere)
      let changed = server.requests.filter { $0.method == "PATCH" }
      #expect(changed.count == 2 && Set(changed.map(\.client)).count == 1)
      let others = server.requests.filter { $0.method != "PATCH" && $0.client != changed.first?.client }
      #expect(others.allSatisfy { $0.method == "GET" || $0.path.hasPrefix("/1.0/certificates") })
    }
  }

  @Test("One that wakes after another service has begun its term is refused, and what it leaves behind is not used")
  func woken() async throws {
    try await Self.with { trust, _, one, other in
      try await Self.term(1, of: one).hold {
        #expect(await Self.changes(one) == nil)
        // The other one believes that this one is dead.
        try? await Self.term(2, of: other).hold {
          #expect(trust.names == ["vpsd", Self.name(2)])
          #expect(await Self.changes(one) as? IncusError == .elsewhere)
          #expect(await Self.changes(other) == nil)
        }
      }
      #expect(trust.names == ["vpsd"])
    }
  }

  @Test("What was begun for an earlier term is not carried on for a later one of the same service")
  func earlier() async throws {
    try await Self.with { _, _, one, _ in
      try await Self.term(1, of: one).hold {
        try? await Self.term(3, of: one).hold {
          #expect(await Self.changes(one) == nil)
          #expect(await IncusTerm.$current.withValue(nil) { await Self.changes(one) } == nil)
        }
        // Of this one's task: its certificate is gone for good.
        #expect(await Self.changes(one) as? IncusError == .elsewhere)
      }
    }
  }

  @Test("A term that another one follows before its certificate is known does nothing, and leaves no certificate")
  func overtaken() async throws {
    try await Self.with { trust, server, one, other in
      let asked = Mutex(0)
      let late = try Self.term(1, of: one) {
        // It hangs when its certificate is there, while another one begins.
        let count = asked.withLock { asked in
          asked += 1
          return asked
        }
        guard count > 1 else { return true }
        try? await Self.term(2, of: other).hold { #expect(trust.names == ["vpsd", Self.name(2)]) }
        return false
      }
      let task = Task { await late.hold { _ = await Self.changes(one) } }
      try await eventually("both certificates were added", within: .seconds(60)) {
        server.requests.count { $0.method == "POST" } >= 2
      }
      task.cancel()
      await task.value
      #expect(!server.requests.contains { $0.method == "PATCH" })
      #expect(trust.names == ["vpsd"])
    }
  }

  @Test("A certificate that somebody else removed is replaced")
  func replaced() async throws {
    try await Self.with { trust, server, one, _ in
      let clock = ManualClock()
      let term = try Self.term(1, of: one, clock: clock)
      let holding = Task { await term.hold { try? await clock.sleep(for: .seconds(1_000_000)) } }
      func hasCertificate() -> Bool {
        clock.advance(by: .seconds(1))
        return trust.names == ["vpsd", Self.name(1)]
      }
      try await eventually("its certificate", within: .seconds(60)) { hasCertificate() }
      trust.removeAll(named: Self.name(1))
      try await eventually("another certificate", within: .seconds(60)) { hasCertificate() }
      #expect(server.requests.count { $0.method == "POST" } == 2)
      holding.cancel()
      try await eventually("no certificate", within: .seconds(60)) { !hasCertificate() && trust.names == ["vpsd"] }
      await holding.value
    }
  }

  @Test("A cluster of LXD, which cannot keep a term from acting on it, is not acted on")
  func clusterOfLXD() async throws {
    try await Self.with(environment: #"{"server":"lxd","server_clustered":true}"#) { trust, server, one, _ in
      let clock = ManualClock()
      let term = try Self.term(1, of: one, clock: clock)
      let errors = Mutex<[IncusError?]>([])
      let holding = Task {
        await term.hold {
          let error = await Self.changes(one) as? IncusError
          errors.withLock { $0.append(error) }
          #expect(throws: IncusError.elsewhere) { try one.requireHeed() }
        }
      }
      try await eventually("it is not waited for any longer", within: .seconds(60)) {
        clock.advance(by: .seconds(1))
        return errors.withLock { $0 } == [.elsewhere]
      }
      await holding.value
      #expect(trust.names == ["vpsd"] && server.requests.allSatisfy { $0.method == "GET" })
    }
  }

  @Test("Certificates of terms at another location, or of another installation, stay")
  func others() async throws {
    try await Self.with { trust, server, one, _ in
      let owners = ["\(UUID().text) eu-1", "\(Self.installation.text) eu-2"]
      let client = IncusClient(endpoints: one.client.endpoints, project: "default")
      for owner in owners {
        let others = TermCertificates(
          endpoints: client.endpoints, project: "default", owner: owner, clock: SystemClock())
        try await others.add(try ClientIdentity(name: "other"), named: others.name(ofTerm: 1))
      }
      try await Self.term(1, of: one).hold {
        #expect(trust.names.count == 4)
        let ours = trust.names.last
        #expect(ours == Self.name(1))
      }
      #expect(trust.names.count == 3)
      #expect(server.requests.count { $0.method == "DELETE" } == 1)
    }
  }

  @Test("That the certificate of the configuration may add no others is found out, and said", arguments: [true, false])
  func restricted(isSo: Bool) async throws {
    try await ScriptedServer.with({ _ in .sync(#"{"restricted":\#(isSo)}"#) }) { server, endpoint async throws in
      let certificates = TermCertificates(
        endpoints: IncusEndpoints([endpoint]), project: "default", owner: "ours", clock: SystemClock())
      let text = #"{"auth":"trusted","auth_user_name":"f00","api_extensions":[]}"#
      let facts = try JSONDecoder().decode(ServerFacts.self, from: Data(text.utf8))
      let fault = try await certificates.fault(of: facts)
      let cluster = #"{"auth":"trusted","api_extensions":[],"environment":{"server":"lxd","server_clustered":true}}"#
      let ofLXD = try JSONDecoder().decode(ServerFacts.self, from: Data(cluster.utf8))
      #expect(try await certificates.fault(of: ofLXD)?.contains("cluster of LXD") == true)
      #expect(isSo ? fault?.contains("is restricted") == true : fault == nil)
      #expect(server.requests.map(\.path) == ["/1.0/certificates/f00?project=default"])
    }
  }

  @Test("Two identities are two, whose names and fingerprints are those of their certificates")
  func identity() throws {
    let (one, other) = (try ClientIdentity(name: "vpsd term 1"), try ClientIdentity(name: "vpsd term 1"))
    #expect(one.fingerprint != other.fingerprint && one.base64 != other.base64)
    let encoded = try one.certificate.toDERBytes()
    #expect(Data(encoded).base64EncodedString() == one.base64)
    #expect(one.fingerprint == ClientIdentity.fingerprint(of: encoded) && one.fingerprint.count == 64)
  }

  @Test("A request is sent with its head and its body as one piece, and a longer one in pieces as they come")
  func onePiece() throws {
    let channel = EmbeddedChannel()
    defer { _ = try? channel.finish() }
    try channel.pipeline.syncOperations.addHandler(RequestInOnePiece())
    try channel.pipeline.syncOperations.addHTTPClientHandlers()
    let head = HTTPRequestHead(version: .http1_1, method: .PUT, uri: "/1.0/x", headers: ["Content-Length": "4"])
    func part(_ text: String) -> HTTPClientRequestPart { .body(.byteBuffer(ByteBuffer(string: text))) }
    func sent() throws -> [String] {
      var pieces: [String] = []
      while let piece = try channel.readOutbound(as: ByteBuffer.self) { pieces.append(String(buffer: piece)) }
      return pieces
    }
    let start = "PUT /1.0/x HTTP/1.1\r\nContent-Length: 4\r\n\r\n"
    channel.write(HTTPClientRequestPart.head(head), promise: nil)
    channel.write(part("body"), promise: nil)
    #expect(try sent() == [])
    try channel.writeAndFlush(HTTPClientRequestPart.end(nil)).wait()
    #expect(try sent() == [start + "body"])
    channel.write(HTTPClientRequestPart.head(head), promise: nil)
    for text in ["bo", "dy"] { try channel.writeAndFlush(part(text)).wait() }
    #expect(try sent() == [start + "bo", "dy"])
  }
}
