import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

@testable import IncusDriver

/// A server of the API that says what a test tells it to, in this process.
final class ScriptedServer: Sendable {
  struct Request: Sendable, Equatable {
    let method: String
    let path: String
    let body: String
    let ifMatch: String?
    /// The certificate of whoever asks, in DER; nil where nobody asked for it.
    var client: [UInt8]?
  }

  enum Answer: Sendable {
    case json(Int, String)
    /// No answer at all.
    case silence
    /// The connection is closed in the middle of the reply.
    case half
    /// So many bytes, of which the head says nothing.
    case endless(bytes: Int)

    /// A reply that is what `metadata` says.
    static func sync(_ metadata: String) -> Answer {
      .json(200, #"{"type":"sync","status":"Success","status_code":200,"metadata":\#(metadata)}"#)
    }

    static func error(_ status: Int, _ text: String) -> Answer {
      .json(status, #"{"type":"error","error":"\#(text)","error_code":\#(status),"metadata":null}"#)
    }

    /// Work with this id, under a path that leads elsewhere when something is appended to it.
    static func operation(_ id: String) -> Answer {
      .json(
        202,
        #"{"type":"async","status":"Operation created","status_code":100,"operation":"/1.0/operations/\#(id)?project=default","#
          + #""metadata":{"id":"\#(id)","status_code":103,"err":"","resources":null,"metadata":null}}"#)
    }

    /// How that ended.
    static func ended(_ id: String, code: Int = 200, error: String = "", metadata: String = "null") -> Answer {
      .sync(
        #"{"id":"\#(id)","status_code":\#(code),"err":"\#(error)","resources":null,"metadata":\#(metadata)}"#)
    }
  }

  typealias Script = @Sendable (Request) -> Answer

  private let received = Mutex<[Request]>([])
  private let channel = Mutex<(any Channel)?>(nil)
  private let script: Script

  private init(_ script: @escaping Script) {
    self.script = script
  }

  /// What came in up to now.
  var requests: [Request] { received.withLock { $0 } }

  /// On a socket of the folder, while the body runs.
  static func with(
    _ script: @escaping Script, _ body: (ScriptedServer, IncusEndpoint) async throws -> Void
  ) async throws {
    // Short, because the path of a socket is.
    let path = "/tmp/vpsd-incus-\(UUID().uuidString.prefix(8).lowercased())"
    let server = ScriptedServer(script)
    let channel = try await server.bootstrap(nil).bind(unixDomainSocketPath: path).get()
    do {
      try await body(server, .socket(path: path))
    } catch {
      try await channel.close()
      unlink(path)
      throw error
    }
    try await channel.close()
    unlink(path)
  }

  /// On a port of this machine, with a certificate, while the body runs.
  ///
  /// - Parameter asksWho: Whether clients show theirs: any is taken.
  static func withTLS(
    _ identity: TestIdentity, asksWho: Bool = false, _ script: @escaping Script,
    _ body: (ScriptedServer, Int) async throws -> Void
  ) async throws {
    var settings = TLSConfiguration.makeServerConfiguration(
      certificateChain: try NIOSSLCertificate.fromPEMFile(identity.certificate).map { .certificate($0) },
      privateKey: .privateKey(try NIOSSLPrivateKey(file: identity.key, format: .pem)))
    settings.minimumTLSVersion = .tlsv12
    if asksWho { settings.certificateVerification = .noHostnameVerification }
    let context = try NIOSSLContext(configuration: settings)
    let server = ScriptedServer(script)
    let channel = try await server.bootstrap(context).bind(host: "127.0.0.1", port: 0).get()
    do {
      try await body(server, channel.localAddress?.port ?? 0)
    } catch {
      try await channel.close()
      throw error
    }
    try await channel.close()
  }

  private func bootstrap(_ context: NIOSSLContext?) -> ServerBootstrap {
    ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let who = Client()
          if let context {
            let handler = NIOSSLServerHandler(
              context: context,
              customVerificationCallback: { chain, verdict in
                who.certificate.withLock { $0 = try? chain.first?.toDERBytes() }
                verdict.succeed(.certificateVerified)
              })
            try channel.pipeline.syncOperations.addHandler(handler)
          }
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(Connection(self, who))
        }
      }
  }

  fileprivate func answer(_ request: Request) -> Answer {
    received.withLock { $0.append(request) }
    return script(request)
  }
}

private final class Client: Sendable {
  let certificate = Mutex<[UInt8]?>(nil)
}

private final class Connection: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let server: ScriptedServer
  private let client: Client
  private var head: HTTPRequestHead?
  private var body = ""

  init(_ server: ScriptedServer, _ client: Client) {
    self.server = server
    self.client = client
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): self.head = head
    case .body(let part): body += String(buffer: part)
    case .end:
      guard let head else { return }
      let request = ScriptedServer.Request(
        method: head.method.rawValue, path: head.uri, body: body, ifMatch: head.headers.first(name: "If-Match"),
        client: client.certificate.withLock { $0 })
      reply(server.answer(request), context)
    }
  }

  private func reply(_ answer: ScriptedServer.Answer, _ context: ChannelHandlerContext) {
    func write(_ part: HTTPServerResponsePart) { context.write(wrapOutboundOut(part), promise: nil) }
    switch answer {
    case .silence: return
    case .json(let status, let text):
      let headers: HTTPHeaders = ["Content-Length": String(text.utf8.count), "ETag": "tag-1"]
      write(.head(HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)))
      write(.body(.byteBuffer(ByteBuffer(string: text))))
      write(.end(nil))
      context.flush()
    case .half:
      write(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Content-Length": "100"])))
      write(.body(.byteBuffer(ByteBuffer(string: #"{"type":"sync""#))))
      context.flush()
      context.close(promise: nil)
    case .endless(let bytes):
      write(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Transfer-Encoding": "chunked"])))
      write(.body(.byteBuffer(ByteBuffer(repeating: 0x20, count: bytes))))
      context.flush()
    }
  }
}

/// A certificate that signs itself, as those of clusters do, with its key.
struct TestIdentity {
  let certificate: String
  let key: String

  init(_ name: String, in folder: URL) throws {
    certificate = folder.appendingPathComponent("\(name).crt").path
    key = folder.appendingPathComponent("\(name).key").path
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
    process.arguments = [
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1", "-nodes", "-days", "2",
      "-subj", "/CN=\(name)", "-keyout", key, "-out", certificate,
    ]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw IncusError.unreadable("openssl made no certificate") }
  }
}
