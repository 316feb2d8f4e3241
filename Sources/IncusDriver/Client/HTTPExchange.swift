import NIOCore
import NIOHTTP1

/// What came back, whole.
struct IncusReply: Sendable {
  let status: Int
  let entityTag: String?
  let body: ByteBuffer

  var isRefusalOfIdentity: Bool { status == 401 || status == 403 }
}

/// One reply on one connection.
final class HTTPExchange: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart

  private let promise: EventLoopPromise<IncusReply>
  private let mostBytes: Int
  private var head: HTTPResponseHead?
  private var body = ByteBuffer()

  init(promise: EventLoopPromise<IncusReply>, mostBytes: Int) {
    self.promise = promise
    self.mostBytes = mostBytes
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): self.head = head
    case .body(var part):
      guard body.readableBytes + part.readableBytes <= mostBytes else {
        promise.fail(IncusError.tooLong(mostBytes: mostBytes))
        return context.close(promise: nil)
      }
      body.writeBuffer(&part)
    case .end:
      guard let head else { return }
      promise.succeed(
        IncusReply(status: Int(head.status.code), entityTag: head.headers.first(name: "ETag"), body: body))
      context.close(promise: nil)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    promise.fail(IncusError.disconnected("\(error)".plainExcerpt))
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    promise.fail(IncusError.disconnected("it was closed before the end of the reply"))
    context.fireChannelInactive()
  }
}
