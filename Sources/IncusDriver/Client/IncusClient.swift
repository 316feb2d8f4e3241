import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1

/// The REST API of Incus: a connection a request, each with a deadline from its first packet to its last, and a bound on what comes
/// back.
struct IncusClient: Sendable {
  struct Request: Sendable {
    var method = HTTPMethod.GET
    let path: IncusPath
    var body: [UInt8]?
    /// The entity tag of what was read before.
    var ifMatch: String?
    var deadline: Duration
    var mostBytes = 1 << 20
  }

  /// What may be asked for.
  enum Access: Sendable {
    case anything
    /// Nothing is changed: another service may have the cluster.
    case reading
    /// Anything, while the cluster heeds the term that the endpoints present.
    case term
  }

  let endpoints: IncusEndpoints
  let project: String
  let access: Access

  init(endpoints: IncusEndpoints, project: String, access: Access = .anything) {
    self.endpoints = endpoints
    self.project = project
    self.access = access
  }

  init(endpoint: IncusEndpoint, project: String) {
    self.init(endpoints: IncusEndpoints([endpoint]), project: project)
  }

  /// What is read, as its metadata.
  func get<Metadata: Decodable>(
    _ path: IncusPath, as type: Metadata.Type = Metadata.self, within deadline: Duration, mostBytes: Int = 1 << 20
  ) async throws -> Metadata {
    try await call(Request(path: path, deadline: deadline, mostBytes: mostBytes), as: type)
  }

  /// The same with the entity tag, which a change can be made to depend on.
  func getTagged<Metadata: Decodable>(
    _ path: IncusPath, as type: Metadata.Type, within deadline: Duration
  ) async throws -> (metadata: Metadata, tag: String?) {
    let request = Request(path: path, deadline: deadline)
    let reply = try await exchange(request)
    return (try Self.metadata(of: reply, path), reply.entityTag)
  }

  /// Throws where the reply is an error, or has none of these metadata.
  func call<Metadata: Decodable>(_ request: Request, as type: Metadata.Type) async throws -> Metadata {
    try Self.metadata(of: try await exchange(request), request.path)
  }

  private static func metadata<Metadata: Decodable>(of reply: IncusReply, _ path: IncusPath) throws -> Metadata {
    let envelope: Envelope<Metadata> = try decode(reply, path)
    guard let metadata = envelope.metadata else { throw IncusError.unreadable("\(path.text): no metadata") }
    return metadata
  }

  /// A reply that says nothing but that it was done, or what is being done.
  func send(_ request: Request) async throws -> IncusOperation? {
    try Self.operation(of: try await exchange(request), request.path)
  }

  static func operation(of reply: IncusReply, _ path: IncusPath) throws -> IncusOperation? {
    let head: Envelope<Ignored> = try decode(reply, path)
    guard head.type == "async" else { return nil }
    let envelope: Envelope<IncusOperation> = try decode(reply, path)
    guard let operation = envelope.metadata else { throw IncusError.unreadable("\(path.text): no operation") }
    return operation
  }

  private static func decode<Metadata: Decodable>(_ reply: IncusReply, _ path: IncusPath) throws -> Envelope<Metadata> {
    let data = Data(reply.body.readableBytesView)
    // The code inside may be any, such as 404 for a file of the server's own that work did not find: only HTTP's is meant.
    if let error = try? JSONDecoder().decode(ErrorEnvelope.self, from: data), error.type == "error" {
      throw IncusError(status: reply.status, text: error.error ?? "")
    }
    // A proxy before it says so without an envelope.
    guard reply.status < 400 else { throw IncusError(status: reply.status, text: "HTTP \(reply.status)") }
    do {
      return try JSONDecoder().decode(Envelope<Metadata>.self, from: data)
    } catch {
      throw IncusError.unreadable("\(path.text): \(error)".plainExcerpt)
    }
  }

  /// One request and its reply.
  func exchange(_ request: Request) async throws -> IncusReply {
    let body = request.body
    return try await converse(head(of: request), within: .total(request.deadline), mostBytes: request.mostBytes) {
      channel in
      if let body { channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil) }
      return channel.eventLoop.makeSucceededVoidFuture()
    }
  }

  /// All of it goes on at the event loop: whoever waits for the reply is resumed once, with it.
  ///
  /// - Parameter writeBody: What follows the head. It fails when the channel is closed, as it is at the deadline.
  func converse(
    _ head: HTTPRequestHead, within limit: ExchangeLimit, mostBytes: Int,
    _ writeBody: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
  ) async throws -> IncusReply {
    guard access != .reading || head.method == .GET else { throw IncusError.elsewhere }
    let loop = endpoints.anyLoop
    let promise = loop.makePromise(of: IncusReply.self)
    let endWatch = limit.watch(on: loop) { promise.fail($0) }
    let asked = NIOLockedValueBox<IncusEndpoints.Attempt?>(nil)
    let answered = promise.futureResult.always { [endpoints, access] result in
      // It may be this one that is away, and not what was asked for: the next call asks another one.
      guard Self.isFailureOfConnection(result, access), let attempt = asked.withLockedValue({ $0 }) else { return }
      endpoints.noteFailure(of: attempt)
    }
    endpoints.connect(on: loop, within: limit.duration) { channel in
      try channel.pipeline.syncOperations.addHandler(RequestInOnePiece())
      try channel.pipeline.syncOperations.addHTTPClientHandlers()
    }.flatMap { channel, attempt in
      asked.withLockedValue { $0 = attempt }
      // Whoever waits no longer, lets go of it.
      promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
      return channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.addHandler(HTTPExchange(promise: promise, mostBytes: mostBytes))
      }.flatMap {
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        return writeBody(channel)
      }.flatMap {
        channel.writeAndFlush(HTTPClientRequestPart.end(nil))
      }
    }.whenFailure { error in
      // A server that has refused closes before it has read everything: then its reply is there already.
      promise.fail(error as? IncusError ?? IncusError.disconnected("\(error)".plainExcerpt))
    }
    let reply = try await withTaskCancellationHandler {
      defer { endWatch() }
      return try await answered.get()
    } onCancel: {
      promise.fail(CancellationError())
    }
    guard access != .term || !reply.isRefusalOfIdentity else { throw IncusError.elsewhere }
    return reply
  }

  /// A member that starts, or has lost the others, says that it is not available. One that hung may not know of a term yet.
  private static func isFailureOfConnection(_ result: Result<IncusReply, any Error>, _ access: Access) -> Bool {
    switch result {
    case .success(let reply): reply.status == 503 || access == .term && reply.isRefusalOfIdentity
    case .failure(let error): (error as? IncusError)?.isOfConnection == true
    }
  }

  private func head(of request: Request) -> HTTPRequestHead {
    var headers = HTTPHeaders()
    if let body = request.body {
      headers.add(name: "Content-Type", value: "application/json")
      headers.add(name: "Content-Length", value: String(body.count))
    }
    if let tag = request.ifMatch { headers.add(name: "If-Match", value: tag) }
    return head(request.method, request.path, headers)
  }

  func head(_ method: HTTPMethod, _ path: IncusPath, _ more: HTTPHeaders) -> HTTPRequestHead {
    var headers: HTTPHeaders = ["Host": "incus", "Connection": "close", "User-Agent": "vpsd"]
    headers.add(contentsOf: more)
    return HTTPRequestHead(
      version: .http1_1, method: method, uri: path.with("project", project).text, headers: headers)
  }
}

private struct Envelope<Metadata: Decodable>: Decodable {
  let type: String
  let metadata: Metadata?
}

private struct ErrorEnvelope: Decodable {
  let type: String
  let error: String?
}

/// Whatever it is.
private struct Ignored: Decodable {
  init(from decoder: any Decoder) throws {}
}

extension TimeAmount {
  init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }
}
