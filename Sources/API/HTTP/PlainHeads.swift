import Core
import Foundation
import Logging
import NIOCore
import NIOHTTP1

/// Lets no request in whose path, or one of the headers that this service reads, is not ASCII, as their grammars demand.
/// Other headers are left out where they are not. So nothing of a head that is compared, hashed or split further on can cost
/// more than its length: what is decoded of it later, such as a query, is bounded there.
///
/// Used on the event loop of its channel only.
final class PlainHeads: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  /// Every header that somebody goes by, here or in what this service is built on, in lower case. Those that only say which browser it
  /// is, and which language it likes, may as well not be there.
  static let names: Set<String> = [
    "accept", "authorization", "connection", "content-encoding", "content-length", "content-type",
    "expect",
    "forwarded",
    "host", "idempotency-key", "if-match", "if-modified-since", "if-none-match", "if-unmodified-since", "keep-alive",
    "last-event-id", "origin", "prefer", "range", "sec-websocket-extensions", "sec-websocket-key",
    "sec-websocket-protocol", "sec-websocket-version", "te", "trailer",
    "transfer-encoding", "upgrade",
    "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-http-method-override", "x-request-id",
  ]
  /// What others of the same host have put there is none of our business, and ours is found among it by its bytes.
  private static let mixedNames: Set<String> = ["cookie"]
  private static let name = "plain heads"
  /// For a client to read the refusal while it still sends its body.
  private static let farewell = TimeAmount.seconds(1)

  private let logger: Logger
  private var unanswered = 0
  private var refusal: String?

  private init(logger: Logger) {
    self.logger = logger
  }

  /// Right behind what parses requests.
  static func add(to channel: any Channel, logger: Logger) throws {
    let pipeline = channel.pipeline.syncOperations
    let decoder = try pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self)
    try pipeline.addHandler(PlainHeads(logger: logger), name: name, position: .after(decoder.handler))
  }

  /// For a connection that goes on as something else than HTTP.
  static func remove(from channel: any Channel) -> EventLoopFuture<Void> {
    channel.pipeline.syncOperations.removeHandler(name: name)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard refusal == nil else { return }
    guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
    if let refusal = Self.refusal(of: &head) {
      self.refusal = refusal
      // What was asked before is answered before.
      if unanswered == 0 { refuse(context) }
    } else {
      unanswered += 1
      context.fireChannelRead(wrapInboundOut(.head(head)))
    }
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
    context.write(data, promise: promise)
    unanswered -= 1
    if refusal != nil, unanswered == 0 { refuse(context) }
  }

  /// Nil for a head that may come in, from which is taken what nobody reads.
  private static func refusal(of head: inout HTTPRequestHead) -> String? {
    guard head.uri.isASCII else {
      return "The path must be ASCII: every other character is written with percent signs."
    }
    let others = head.headers.filter { !$0.value.isASCII && !Self.mixedNames.contains($0.name.lowercased()) }
    guard !others.isEmpty else { return nil }
    for (name, _) in others where names.contains(name.lowercased()) { return "The \(name) header must be ASCII." }
    for (name, _) in others { head.headers.remove(name: name) }
    return nil
  }

  private func refuse(_ context: ChannelHandlerContext) {
    guard let refusal else { return }
    let id = UUID().text
    let body = JSONWriter.object { $0.field("detail", refusal) }
    let headers: HTTPHeaders = [
      "Content-Type": "application/json", "Content-Length": "\(body.readableBytes)", "X-Request-ID": id,
      "Connection": "close",
    ]
    logger.debug("request refused", metadata: ["request": "\(id)", "status": "400", "reason": "\(refusal)"])
    context.write(wrapOutboundOut(.head(.init(version: .http1_1, status: .badRequest, headers: headers))), promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { _ in
      channel.close(mode: .output, promise: nil)
    }
    context.eventLoop.scheduleTask(in: Self.farewell) { channel.close(promise: nil) }
  }
}

extension String {
  fileprivate var isASCII: Bool { utf8.allSatisfy { $0 < 0x80 } }
}
