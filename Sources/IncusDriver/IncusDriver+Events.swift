import Core
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

extension IncusDriver {
  /// Whatever the cluster tells of the lives of instances on this member, by one connection for all members, which is made anew when it
  /// is lost; then something may have happened meanwhile.
  package func events() -> AsyncStream<Void> { cluster.events.subscribe(member: configuration.member) }
}

extension IncusClient {
  /// From its ping every ten seconds one may conclude that the other end is there.
  private static let silence = TimeAmount.seconds(25)

  /// Until the connection ends.
  ///
  /// - Parameter each: Is given what an event says, as JSON.
  func listen(toEventsOf type: String, _ each: @escaping @Sendable (ByteBuffer) -> Void) async throws {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let ended = loop.makePromise(of: Void.self)
    let path = IncusPath("events", query: ["type": type]).with("project", project)
    endpoints.connect(on: loop, within: .seconds(15)) { channel in
      let upgrader = NIOTypedWebSocketClientUpgrader<Void>(
        maxFrameSize: 1 << 20,
        upgradePipelineHandler: { channel, _ in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(IdleStateHandler(readTimeout: Self.silence))
            try channel.pipeline.syncOperations.addHandler(EventListener(each))
          }
        })
      let head = HTTPRequestHead(
        version: .http1_1, method: .GET, uri: path.text, headers: ["Host": "incus", "Content-Length": "0"])
      let upgraded = try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
        configuration: .init(
          upgradeConfiguration: NIOTypedHTTPClientUpgradeConfiguration(
            upgradeRequestHead: head, upgraders: [upgrader],
            notUpgradingCompletionHandler: {
              $0.eventLoop.makeFailedFuture(IncusError.unreadable("no WebSocket of events"))
            })))
      upgraded.whenFailure { _ in channel.close(promise: nil) }
    }.whenComplete { result in
      switch result {
      case .failure(let error): ended.fail(IncusError.disconnected("\(error)".plainExcerpt))
      case .success(let (channel, _)):
        ended.futureResult.whenComplete { _ in channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in ended.fail(IncusError.disconnected("the events ended")) }
      }
    }
    try await withTaskCancellationHandler {
      try await ended.futureResult.get()
    } onCancel: {
      ended.fail(CancellationError())
    }
  }
}

/// Answers pings: who does not is dropped after ten seconds.
private final class EventListener: ChannelInboundHandler {
  typealias InboundIn = WebSocketFrame
  typealias OutboundOut = WebSocketFrame

  private let each: @Sendable (ByteBuffer) -> Void

  init(_ each: @escaping @Sendable (ByteBuffer) -> Void) {
    self.each = each
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    switch frame.opcode {
    case .ping:
      let pong = WebSocketFrame(fin: true, opcode: .pong, maskKey: .random(), data: frame.unmaskedData)
      context.writeAndFlush(wrapOutboundOut(pong), promise: nil)
    case .text, .binary: each(frame.unmaskedData)
    case .connectionClose: context.close(promise: nil)
    default: break
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
