import Core
import Engine
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOWebSocket
import Synchronization

/// A connection, which becomes either plain HTTP or the WebSocket of a console. As with every server that NIO upgrades,
/// only the first request of a connection can ask for a WebSocket.
struct ServiceChannel: ServerChildChannel {
  typealias Answering = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>
  typealias WebSocket = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>

  enum Outcome: Sendable {
    case http(HTTP1Channel.Value)
    case console(WebSocket, ConsoleDoor.Entrance)
    case refused(Answering, any Error)
  }

  struct Value: ServerChildChannelValue {
    let channel: any Channel
    let outcome: EventLoopFuture<Outcome>
  }

  private static let maximumFrameBytes = 1 << 16

  let http: HTTP1Channel
  let door: ConsoleDoor
  let envelope: Envelope
  let serverName: String
  let limits: ConnectionLimits
  let proxies: TrustedProxies
  let counts: ConnectionCounts
  let idle: IdleConnections
  let clock: any WallClock
  let logger: Logger

  /// Called when a connection is accepted, so that its limits apply before its first byte. Connections of a trusted
  /// proxy belong to many clients, and are not counted by address.
  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      let isProxy = channel.remoteAddress?.ipAddress.map { proxies.contains($0) } ?? false
      try channel.pipeline.syncOperations.addHandler(
        ConnectionShare(counts, limit: isProxy ? 0 : limits.connectionsPerAddress))
      let silence = ConnectionSilence(channel, firstRequestWithin: .init(limits.firstRequest), among: idle)
      let promise = channel.eventLoop.makePromise(of: Outcome.self)
      channel.closeFuture.whenComplete { _ in promise.fail(ChannelError.eof) }
      let handler = ProtocolSniffer("GET \(ConsoleDoor.path)") { isConsole, channel in
        let outcome = isConsole ? negotiate(on: channel, silence) : http(on: channel, silence, logger: logger)
        outcome.cascade(to: promise)
      }
      try channel.pipeline.syncOperations.addHandler(handler)
      return Value(channel: channel, outcome: promise.futureResult)
    }
  }

  private func http(
    on channel: any Channel, _ silence: ConnectionSilence, logger: Logger
  ) -> EventLoopFuture<Outcome> {
    http.setup(channel: channel, logger: logger).assumeIsolated().flatMapThrowing { value in
      let pipeline = channel.pipeline.syncOperations
      let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
      try pipeline.addHandler(ConnectionPersistence(silence), position: .after(decoder))
      try pipeline.addHandler(HeadRules(), position: .after(decoder))
      try PlainHeads.add(to: channel, logger: logger)
      if envelope.memory != nil {
        let last = try pipeline.handler(type: HTTPConnectionStateHandler.self)
        try pipeline.addHandler(QuickReplies(envelope, serverName: serverName), position: .after(last))
      }
      return .http(value)
    }.nonisolated()
  }

  func handle(value: Value, logger: Logger) async {
    do {
      switch try await value.outcome.get() {
      case .http(let channel):
        await withTaskExecutorPreference(LoopExecutor(value.channel.eventLoop)) {
          await http.handle(value: channel, logger: logger)
        }
      case .console(let channel, let entrance): await relay(entrance, channel)
      case .refused(let channel, let error): try await refuse(error, channel)
      }
    } catch {
      value.channel.close(promise: nil)
    }
  }

  // MARK: The WebSocket's handshake

  private func negotiate(on channel: any Channel, _ silence: ConnectionSilence) -> EventLoopFuture<Outcome> {
    let answer = Answer()
    let silence = NIOLoopBound(silence, eventLoop: channel.eventLoop)
    let upgrader = NIOTypedWebSocketServerUpgrader<Outcome>(
      maxFrameSize: Self.maximumFrameBytes,
      shouldUpgrade: { [door] channel, head in
        silence.value.end()
        let peer = channel.remoteAddress?.ipAddress ?? ""
        return channel.eventLoop.makeFutureWithTask {
          do {
            answer.set(.success(try await door.open(head, from: peer)))
            return ["Sec-WebSocket-Protocol": ConsoleDoor.subprotocol]
          } catch {
            answer.set(.failure(error))
            return nil
          }
        }
      },
      upgradePipelineHandler: { channel, _ in
        PlainHeads.remove(from: channel).flatMapThrowing {
          .console(try NIOAsyncChannel(wrappingChannelSynchronously: channel), try answer.get())
        }
      })
    var configuration = NIOUpgradableHTTPServerPipelineConfiguration<Outcome>(
      upgradeConfiguration: .init(
        upgraders: [upgrader],
        notUpgradingCompletionHandler: { channel in
          channel.eventLoop.makeCompletedFuture {
            silence.value.end()
            return .refused(try NIOAsyncChannel(wrappingChannelSynchronously: channel), answer.error)
          }
        }))
    configuration.decoderConfiguration = limits.consoleHead
    do {
      let outcome = try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(
        configuration: configuration)
      try PlainHeads.add(to: channel, logger: logger)
      return outcome
    } catch {
      return channel.eventLoop.makeFailedFuture(error)
    }
  }

  private func refuse(_ error: any Error, _ channel: Answering) async throws {
    let requestID = UUID.random().text
    let response = ErrorTable.response(to: error, requestID: requestID)
    note(error, status: response.status.code, requestID)
    var headers = HTTPHeaders(response.headers.map { ($0.name.rawName, $0.value) })
    let body = try await response.body.bytes()
    headers.replaceOrAdd(name: "X-Request-ID", value: requestID)
    headers.replaceOrAdd(name: "Content-Length", value: String(body.count))
    headers.replaceOrAdd(name: "Connection", value: "close")
    let head = HTTPResponseHead(
      version: .http1_1, status: .init(statusCode: response.status.code), headers: headers)
    try await channel.executeThenClose { _, outbound in
      try await outbound.write(
        contentsOf: [.head(head), .body(.byteBuffer(ByteBuffer(bytes: body))), .end(nil)])
    }
  }

  /// Logs the reason for the operator, without the ticket.
  private func note(_ error: any Error, status: Int, _ requestID: String) {
    var metadata: Logger.Metadata = ["request": "\(requestID)", "status": "\(status)"]
    if let failure = error as? Failure {
      metadata["reason"] = "\(failure.message)"
      if let detail = failure.privateDetail { metadata["detail"] = "\(detail)" }
    } else if status >= 500 {
      metadata["error"] = "\(String(reflecting: error))"
    }
    let level: Logger.Level = status >= 500 ? .error : error is Rejection ? .debug : .info
    logger.log(level: level, "console refused", metadata: metadata)
  }

  // MARK: The console

  private func relay(_ entrance: ConsoleDoor.Entrance, _ channel: WebSocket) async {
    let session = entrance.session
    let server = session.serverID
    logger.info("console opened", metadata: ["server": "\(server)", "address": "\(entrance.address)"])
    let end = await ConsoleRelay(session: session, consoles: door.consoles, clock: clock).run(over: channel)
    logger.info("console closed", metadata: ["server": "\(server)", "reason": "\(end.rawValue)"])
  }
}

/// The console door's answer to the only request of a connection.
private final class Answer: Sendable {
  private let result = Mutex<Result<ConsoleDoor.Entrance, any Error>>(.failure(Rejection.upgradeRequired))

  func set(_ result: Result<ConsoleDoor.Entrance, any Error>) { self.result.withLock { $0 = result } }

  func get() throws -> ConsoleDoor.Entrance { try result.withLock { $0 }.get() }

  /// If the door was not asked, the request was not for a WebSocket.
  var error: any Error {
    guard case .failure(let error) = result.withLock({ $0 }) else { return Rejection.upgradeRequired }
    return error
  }
}
