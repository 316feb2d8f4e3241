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

/// What becomes of a connection: HTTP as ever, or the WebSocket of a console. As with every server that NIO upgrades, only the
/// first request of a connection can be one for a WebSocket.
struct ConsoleChannel: ServerChildChannel {
  typealias Answering = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>
  typealias WebSocket = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>

  enum Outcome: Sendable {
    case http(HTTP1Channel.Value)
    case console(WebSocket, ConsoleSession)
    case refused(Answering, any Error)
  }

  struct Value: ServerChildChannelValue {
    let channel: any Channel
    let outcome: EventLoopFuture<Outcome>
  }

  /// For the first words of a connection, and for those of a WebSocket.
  private static let patience = TimeAmount.seconds(60)
  private static let maximumFrameBytes = 1 << 16

  let http: HTTP1Channel
  let door: ConsoleDoor
  let clock: any WallClock
  let logger: Logger

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      let promise = channel.eventLoop.makePromise(of: Outcome.self)
      let deadline = channel.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
      promise.futureResult.whenComplete { _ in deadline.cancel() }
      channel.closeFuture.whenComplete { _ in promise.fail(ChannelError.eof) }
      let handler = FirstWords("GET \(ConsoleDoor.path)") { isConsole, channel in
        let outcome = isConsole ? negotiate(on: channel) : http(on: channel, logger: logger)
        outcome.cascade(to: promise)
      }
      try channel.pipeline.syncOperations.addHandler(handler)
      return Value(channel: channel, outcome: promise.futureResult)
    }
  }

  private func http(on channel: any Channel, logger: Logger) -> EventLoopFuture<Outcome> {
    http.setup(channel: channel, logger: logger).assumeIsolated().flatMapThrowing { value in
      let pipeline = channel.pipeline.syncOperations
      let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
      try pipeline.addHandler(HeadRules(), position: .after(decoder))
      return .http(value)
    }.nonisolated()
  }

  func handle(value: Value, logger: Logger) async {
    do {
      switch try await value.outcome.get() {
      case .http(let channel): await http.handle(value: channel, logger: logger)
      case .console(let channel, let session): await relay(session, channel)
      case .refused(let channel, let error): try await refuse(error, channel)
      }
    } catch {
      value.channel.close(promise: nil)
    }
  }

  // MARK: The WebSocket's handshake

  private func negotiate(on channel: any Channel) -> EventLoopFuture<Outcome> {
    let answer = Answer()
    let upgrader = NIOTypedWebSocketServerUpgrader<Outcome>(
      maxFrameSize: Self.maximumFrameBytes,
      shouldUpgrade: { [door] channel, head in
        channel.eventLoop.makeFutureWithTask {
          do {
            answer.set(.success(try await door.open(head)))
            return ["Sec-WebSocket-Protocol": ConsoleDoor.subprotocol]
          } catch {
            answer.set(.failure(error))
            return nil
          }
        }
      },
      upgradePipelineHandler: { channel, _ in
        channel.eventLoop.makeCompletedFuture {
          .console(try NIOAsyncChannel(wrappingChannelSynchronously: channel), try answer.get())
        }
      })
    let configuration = NIOUpgradableHTTPServerPipelineConfiguration<Outcome>(
      upgradeConfiguration: .init(
        upgraders: [upgrader],
        notUpgradingCompletionHandler: { channel in
          channel.eventLoop.makeCompletedFuture {
            .refused(try NIOAsyncChannel(wrappingChannelSynchronously: channel), answer.error)
          }
        }))
    do {
      return try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(configuration: configuration)
    } catch {
      return channel.eventLoop.makeFailedFuture(error)
    }
  }

  private func refuse(_ error: any Error, _ channel: Answering) async throws {
    let requestID = UUID().uuidString.lowercased()
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

  /// The reason for the operator, and no ticket.
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

  private func relay(_ session: ConsoleSession, _ channel: WebSocket) async {
    let address = channel.channel.remoteAddress?.ipAddress ?? ""
    let server = session.serverID
    logger.info("console opened", metadata: ["server": "\(server)", "address": "\(address)"])
    let end = await ConsoleRelay(session: session, consoles: door.consoles, clock: clock).run(over: channel)
    logger.info("console closed", metadata: ["server": "\(server)", "reason": "\(end.rawValue)"])
  }
}

/// What the door said to the one request of a connection.
private final class Answer: Sendable {
  private let result = Mutex<Result<ConsoleSession, any Error>>(.failure(Rejection.upgradeRequired))

  func set(_ result: Result<ConsoleSession, any Error>) { self.result.withLock { $0 = result } }

  func get() throws -> ConsoleSession { try result.withLock { $0 }.get() }

  /// Where the door was not even asked, it was no request for a WebSocket.
  var error: any Error {
    guard case .failure(let error) = result.withLock({ $0 }) else { return Rejection.upgradeRequired }
    return error
  }
}
