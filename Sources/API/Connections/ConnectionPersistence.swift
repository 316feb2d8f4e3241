import NIOCore
import NIOHTTP1

/// Announces that the body of the current request is about to be read, so that a client that waits for 100 Continue
/// gets it.
struct BodyIsWanted: Sendable {}

/// Decides how long a connection lasts, by the headers of both sides (RFC 9112, section 9), and what is still read at
/// its end.
///
/// A reply that begins before its request has arrived completely ends the connection, unless the missing rest is known
/// to be short. The reply announces the end, and what still arrives is discarded for a moment, so that the client can
/// read the reply.
///
/// Used on the event loop of its channel only, between NIO's coders and the handlers that are independent of HTTP/1.
final class ConnectionPersistence: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  /// How much may be missing of a request that is already answered, without ending the connection.
  static let restBytes = 65_536
  /// How long to wait for that rest, and for the client after the end.
  static let restPatience = TimeAmount.seconds(2)
  /// How many bytes are discarded after the end before the connection is closed.
  static let discardedBytes = 1 << 18

  /// A request, from its head until it has both arrived and been answered.
  private struct Exchange {
    /// HTTP/1.0, which has neither chunks nor expectations, and keeps a connection only if both sides ask for it.
    let isOld: Bool
    /// Nil if the client does not tell.
    var missingBytes: Int?
    var isPersistent: Bool
    var awaitsContinue: Bool
    var isReceived = false
    var isAnswered = false
    var hasReply = false
    /// Whether the reply has no known length, and goes on until its handler ends it.
    var isStream = false

    init(_ head: HTTPRequestHead) {
      isOld = head.version.major < 1 || head.version == .http1_0
      let options = head.headers["connection"].flatMap(\.listElements)
      let asksForClose = options.contains { $0.utf8.isToken("close") }
      isPersistent = !asksForClose && (!isOld || options.contains { $0.utf8.isToken("keep-alive") })
      missingBytes = head.headers.contains(name: "transfer-encoding") ? nil : 0
      if missingBytes != nil, let length = head.headers.first(name: "content-length") { missingBytes = Int(length) }
      awaitsContinue = !isOld && head.headers["expect"].contains { $0.utf8.isToken("100-continue") }
    }

    /// Whether the missing rest is short enough to wait for.
    var hasShortRest: Bool {
      !awaitsContinue && missingBytes.map { $0 <= ConnectionPersistence.restBytes } ?? false
    }
  }

  private let silence: ConnectionSilence
  /// In the order of their requests; only the last one can be incomplete.
  private var exchanges = CircularBuffer<Exchange>()
  /// True after the last reply: further input is discarded, and nothing more is written.
  private var isOver = false
  private var isLastReplySent = false
  private var isInputClosed = false
  private var discarded = 0
  /// Replies that have ended in our code, but are not completely written to the socket yet.
  private var unsentReplies = 0
  private var deadline: Scheduled<Void>?

  init(_ silence: ConnectionSilence) {
    self.silence = silence
  }

  // MARK: Inbound

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isOver else { return discard(unwrapInboundIn(data), context) }
    switch unwrapInboundIn(data) {
    case .head(var head):
      // Requests after the one that the client announced as its last are ignored.
      guard exchanges.last?.isPersistent ?? true else { return }
      silence.end()
      let exchange = Exchange(head)
      exchanges.append(exchange)
      guard exchange.isOld, head.headers.contains(name: "expect") else { break }
      head.headers.remove(name: "expect")
      return context.fireChannelRead(wrapInboundOut(.head(head)))
    case .body(let buffer):
      guard let last = exchanges.indices.last, !exchanges[last].isReceived else { return }
      exchanges[last].awaitsContinue = false
      exchanges[last].missingBytes? -= buffer.readableBytes
    case .end:
      guard let last = exchanges.indices.last, !exchanges[last].isReceived else { return }
      exchanges[last].isReceived = true
      settle()
    }
    context.fireChannelRead(data)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    // The handlers above request no more input if they get none.
    if isOver { context.read() }
    context.fireChannelReadComplete()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .inputClosed? = event as? ChannelEvent {
      isInputClosed = true
      // A client that closes its side while it receives an endless stream is gone. One that still receives its last reply is not.
      if isLastReplySent || exchanges.first?.isStream == true { context.close(promise: nil) }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard !isOver else { return }
    context.fireErrorCaught(error)
  }

  func channelInactive(context: ChannelHandlerContext) {
    deadline?.cancel()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    deadline?.cancel()
  }

  private func discard(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
    guard case .body(let buffer) = part else { return }
    discarded += buffer.readableBytes
    if discarded > Self.discardedBytes { context.close(promise: nil) }
  }

  // MARK: Outbound

  func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
    guard event is BodyIsWanted else { return context.triggerUserOutboundEvent(event, promise: promise) }
    promise?.succeed()
    guard let first = exchanges.first, first.awaitsContinue, !first.hasReply else { return }
    exchanges[exchanges.startIndex].awaitsContinue = false
    context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard !isOver else {
      promise?.succeed()
      return
    }
    let first = exchanges.first
    // Anything written after the reply, while its request has not ended, is dropped.
    guard first?.isAnswered != true else {
      promise?.succeed()
      return
    }
    switch unwrapOutboundIn(data) {
    case .head(var head):
      begin(&head)
      context.write(wrapOutboundOut(.head(head)), promise: promise)
    case .body: context.write(data, promise: promise)
    case .end: end(context, data, promise, first)
    }
  }

  /// A request that could not be parsed has no exchange, and its reply is the last one.
  private func begin(_ head: inout HTTPResponseHead) {
    guard var exchange = exchanges.first else {
      head.headers.replaceOrAdd(name: "Connection", value: "close")
      return
    }
    exchange.hasReply = true
    if exchange.isOld { head.version = .http1_0 }
    if head.headers["connection"].flatMap(\.listElements).contains(where: { $0.utf8.isToken("close") }) {
      exchange.isPersistent = false
    }
    if !exchange.isReceived, !exchange.hasShortRest { exchange.isPersistent = false }
    exchange.isStream = head.status.mayHaveResponseBody && !head.headers.contains(name: "content-length")
    // A reply with neither a length nor chunks ends with the connection.
    if exchange.isOld, exchange.isStream { exchange.isPersistent = false }
    if !exchange.isPersistent {
      head.headers.replaceOrAdd(name: "Connection", value: "close")
    } else if exchange.isOld {
      head.headers.replaceOrAdd(name: "Connection", value: "keep-alive")
    }
    exchanges[exchanges.startIndex] = exchange
  }

  private func end(
    _ context: ChannelHandlerContext, _ data: NIOAny, _ promise: EventLoopPromise<Void>?, _ first: Exchange?
  ) {
    let written = promise ?? context.eventLoop.makePromise()
    context.write(data, promise: written)
    guard let first, first.isPersistent else { return finish(context, after: written.futureResult) }
    unsentReplies += 1
    let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
    written.futureResult.whenComplete { _ in
      handler.value.unsentReplies -= 1
      handler.value.rest()
    }
    exchanges[exchanges.startIndex].isAnswered = true
    settle()
    if !first.isReceived { closeSoon(context) }
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    // After the last reply, the output is closed already, or will be once everything is written.
    guard isOver, mode == .output else { return context.close(mode: mode, promise: promise) }
    promise?.succeed()
  }

  // MARK: The end

  /// Removes the first exchange once it has arrived and is answered.
  private func settle() {
    guard let first = exchanges.first, first.isReceived, first.isAnswered else { return }
    exchanges.removeFirst()
    deadline?.cancel()
    deadline = nil
    rest()
  }

  /// A connection without requests and unsent replies counts as idle, and may be closed to make room.
  private func rest() {
    if exchanges.isEmpty, unsentReplies == 0, !isOver { silence.begin() }
  }

  /// Ends the connection with this reply: our side closes once it is sent, the client's once it has read it, or soon
  /// after.
  private func finish(_ context: ChannelHandlerContext, after written: EventLoopFuture<Void>) {
    isOver = true
    let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
    written.whenSuccess {
      let (handler, context) = bound.value
      handler.isLastReplySent = true
      guard context.channel.isActive, !handler.isInputClosed else { return context.close(promise: nil) }
      context.close(mode: .output, promise: nil)
      handler.closeSoon(context)
      context.read()
    }
  }

  private func closeSoon(_ context: ChannelHandlerContext) {
    deadline?.cancel()
    let channel = context.channel
    deadline = context.eventLoop.scheduleTask(in: Self.restPatience) { channel.close(promise: nil) }
  }
}
