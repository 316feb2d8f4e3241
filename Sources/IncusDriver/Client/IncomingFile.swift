import NIOCore
import NIOHTTP1

/// A file that a server sends as its reply. No more of it is read than what is asked for, and what came beside its head.
struct IncomingFile: Sendable {
  let sizeBytes: Int64
  private let channel: any Channel
  private let reading: NIOLoopBound<FileReading>

  /// To be made at the channel's event loop.
  fileprivate init(sizeBytes: Int64, _ channel: any Channel, _ reading: FileReading) {
    self.sizeBytes = sizeBytes
    self.channel = channel
    self.reading = NIOLoopBound(reading, eventLoop: channel.eventLoop)
  }

  /// The next piece; nil at the end. One call at a time.
  func next() async throws -> ByteBuffer? {
    try await channel.eventLoop.flatSubmit { [reading] in reading.value.next() }.get()
  }

  /// Nothing more comes: whoever waits for a piece is told so.
  func close() { channel.close(promise: nil) }
}

extension IncusClient {
  /// Asks for a file, and returns once its size is known.
  func open(_ path: IncusPath, within deadline: Duration) async throws -> IncomingFile {
    let loop = endpoints.anyLoop
    let opened = loop.makePromise(of: IncomingFile.self)
    let timeout = loop.scheduleTask(in: TimeAmount(deadline)) { opened.fail(IncusError.noAnswer(within: deadline)) }
    endpoints.connect(on: loop, within: deadline) { channel in
      try channel.pipeline.syncOperations.addHTTPClientHandlers()
    }.flatMapThrowing { [head = head(.GET, path, [:])] channel, _ in
      opened.futureResult.whenFailure { _ in channel.close(promise: nil) }
      try channel.pipeline.syncOperations.addHandler(FileReading(opened))
      channel.write(HTTPClientRequestPart.head(head), promise: nil)
      channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    }.whenFailure { error in
      opened.fail(error as? IncusError ?? IncusError.disconnected("\(error)".plainExcerpt))
    }
    return try await withTaskCancellationHandler {
      defer { timeout.cancel() }
      return try await opened.futureResult.get()
    } onCancel: {
      opened.fail(CancellationError())
    }
  }
}

private final class FileReading: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart

  private let opened: EventLoopPromise<IncomingFile>
  private let loop: any EventLoop
  private var pieces = CircularBuffer<ByteBuffer>()
  private var waiting: EventLoopPromise<ByteBuffer?>?
  /// How it ended, if it has.
  private var end: Result<Void, any Error>?
  private var context: ChannelHandlerContext?

  init(_ opened: EventLoopPromise<IncomingFile>) {
    self.opened = opened
    loop = opened.futureResult.eventLoop
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  /// What came before the channel was closed is there after it, too.
  func next() -> EventLoopFuture<ByteBuffer?> {
    if let piece = pieces.popFirst() { return loop.makeSucceededFuture(piece) }
    switch end {
    case .success: return loop.makeSucceededFuture(nil)
    case .failure(let error): return loop.makeFailedFuture(error)
    case nil:
      let promise = loop.makePromise(of: ByteBuffer?.self)
      waiting = promise
      context?.read()
      return promise.futureResult
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): begin(head, context)
    case .body(let piece):
      guard let waiting else { return pieces.append(piece) }
      self.waiting = nil
      waiting.succeed(piece)
    case .end: finish(.success(()))
    }
  }

  private func begin(_ head: HTTPResponseHead, _ context: ChannelHandlerContext) {
    guard head.status == .ok else {
      return finish(.failure(IncusError(status: Int(head.status.code), text: "HTTP \(head.status.code)")))
    }
    guard let size = head.headers.first(name: "Content-Length").flatMap({ Int64($0) }) else {
      return finish(.failure(IncusError.unreadable("a file of an unknown size")))
    }
    guard head.headers.first(name: "Content-Type")?.hasPrefix("multipart/") != true else {
      return finish(.failure(IncusError.unreadable("a file in several parts")))
    }
    do {
      try context.channel.syncOptions?.setOption(.autoRead, value: false)
      opened.succeed(IncomingFile(sizeBytes: size, context.channel, self))
    } catch {
      finish(.failure(error))
    }
  }

  /// What was read may have been no whole piece yet.
  func channelReadComplete(context: ChannelHandlerContext) {
    if waiting != nil { context.read() }
    context.fireChannelReadComplete()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    finish(.failure(IncusError.disconnected("\(error)".plainExcerpt)))
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    finish(.failure(IncusError.disconnected("it was closed before the end of the file")))
    context.fireChannelInactive()
  }

  private func finish(_ result: Result<Void, any Error>) {
    if end == nil { end = result }
    switch end {
    case .failure(let error):
      opened.fail(error)
      waiting?.fail(error)
    default: waiting?.succeed(nil)
    }
    waiting = nil
  }
}
