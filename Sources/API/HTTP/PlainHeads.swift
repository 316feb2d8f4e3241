import Core
import Foundation
import Logging
import NIOCore
import NIOHTTP1

/// Refuses requests whose path, or any header that this service acts on (see `names`), is not ASCII, as their grammars
/// demand. Other headers that are not ASCII are dropped. So comparing, hashing or splitting parts of a head costs no
/// more than its length. Whatever is decoded of it later, such as a query, is limited there.
///
/// Used on the event loop of its channel only.
final class PlainHeads: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  /// Every header that this service, or a library of it, acts on, in lower case. Headers that only express a
  /// preference, such as User-Agent and Accept-Language, are not listed, because they can be dropped without harm.
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
  /// Passed on as they are, because other services of the same host set cookies, too; ours are found among them by
  /// their bytes.
  private static let mixedNames: Set<String> = ["cookie"]
  private static let name = "plain heads"
  /// The time that a client which still sends its body has to read the refusal.
  private static let farewell = TimeAmount.seconds(1)

  private let logger: Logger
  private var unanswered = 0
  private var refusal: String?

  private init(logger: Logger) {
    self.logger = logger
  }

  /// Adds the handler right behind the decoder of requests.
  static func add(to channel: any Channel, logger: Logger) throws {
    let pipeline = channel.pipeline.syncOperations
    let decoder = try pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self)
    try pipeline.addHandler(PlainHeads(logger: logger), name: name, position: .after(decoder.handler))
  }

  /// For a connection that is not HTTP from now on.
  static func remove(from channel: any Channel) -> EventLoopFuture<Void> {
    channel.pipeline.syncOperations.removeHandler(name: name)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard refusal == nil else { return }
    guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
    if let refusal = Self.refusal(of: &head) {
      self.refusal = refusal
      // Earlier requests are answered first.
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

  /// Why the head is refused; nil if it is accepted, after dropping headers that are not needed.
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
    let id = UUID.random().text
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
