import NIOCore

/// Sends the head and the body of a request as one piece: over TLS that is one record, as long as it is no longer than 16 KiB, and the
/// server sees nothing of it before it has all of it. Who asks is found out when the head is there, so what follows it much later
/// would be done for somebody who is not to be heeded any more.
final class RequestInOnePiece: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private var gathered = ByteBuffer()
  private var promise: EventLoopPromise<Void>?

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    var part = unwrapOutboundIn(data)
    gathered.writeBuffer(&part)
    guard let promise else { return }
    if let first = self.promise {
      first.futureResult.cascade(to: promise)
    } else {
      self.promise = promise
    }
  }

  func flush(context: ChannelHandlerContext) {
    if gathered.readableBytes > 0 || promise != nil {
      context.write(wrapOutboundOut(gathered), promise: promise)
      (gathered, promise) = (ByteBuffer(), nil)
    }
    context.flush()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    promise?.fail(ChannelError.ioOnClosedChannel)
    promise = nil
  }
}
