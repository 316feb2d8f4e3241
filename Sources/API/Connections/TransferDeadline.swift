import NIOCore
import NIOHTTPTypes

/// Closes the connection of a client that takes too long to send the body of a request, or takes nothing of a reply for
/// as long. The head of a request is limited by the idle timeout of the connection instead, and a reply may pause, as a
/// stream of events does.
///
/// Used on the event loop of its channel only.
final class TransferDeadline: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart

  private let limit: TimeAmount
  private var body: Scheduled<Void>?
  private var reply: Scheduled<Void>?

  init(_ limit: TimeAmount) {
    self.limit = limit
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head: if body == nil { body = closing(context) }
    case .body: break
    case .end: cancel(&body)
    }
    context.fireChannelRead(data)
  }

  /// A reply makes the channel unwritable by filling its buffers; it is writable again once the client has taken
  /// enough.
  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable {
      cancel(&reply)
    } else if reply == nil {
      reply = closing(context)
    }
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    cancel(&body)
    cancel(&reply)
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    cancel(&body)
    cancel(&reply)
  }

  private func closing(_ context: ChannelHandlerContext) -> Scheduled<Void> {
    let channel = context.channel
    return context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
  }

  private func cancel(_ deadline: inout Scheduled<Void>?) {
    deadline?.cancel()
    deadline = nil
  }
}
