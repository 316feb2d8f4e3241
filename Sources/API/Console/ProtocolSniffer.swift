import NIOCore

/// Holds back the first bytes of a new connection until it is clear whether it asks for a console's WebSocket. The rest
/// of the pipeline is set up only then, so that nothing changes for connections that never ask for a console.
final class ProtocolSniffer: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  /// How long an open console may take to close when the service ends.
  private static let farewell = TimeAmount.seconds(2)

  private let words: [UInt8]
  private let decide: (_ isConsole: Bool, any Channel) -> Void
  private var held: ByteBuffer? = ByteBuffer()

  init(_ words: String, decide: @escaping (_ isConsole: Bool, any Channel) -> Void) {
    self.words = Array(words.utf8)
    self.decide = decide
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard var held else { return context.fireChannelRead(data) }
    held.writeImmutableBuffer(unwrapInboundIn(data))
    self.held = held
    let begin = held.readableBytesView.prefix(words.count)
    let isConsole = begin.elementsEqual(words)
    guard isConsole || !words.starts(with: begin) else { return }
    self.held = nil
    decide(isConsole, context.channel)
    context.fireChannelRead(wrapInboundOut(held))
    context.fireChannelReadComplete()
    // For a console it stays in the pipeline, to close it when the service ends.
    if !isConsole { context.pipeline.syncOperations.removeHandler(context: context, promise: nil) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case is ChannelShouldQuiesceEvent:
      guard held == nil else { return context.close(promise: nil) }
      let channel = context.channel
      channel.eventLoop.scheduleTask(in: Self.farewell) { channel.close(promise: nil) }
    case ChannelEvent.inputClosed where held != nil: context.close(promise: nil)
    default: break
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard held == nil else { return context.close(promise: nil) }
    context.fireErrorCaught(error)
  }
}
