import Foundation
import Logging
import NIOCore

/// Pauses accepting when the system has no descriptors or memory for another connection, and logs that once. NIO alone
/// would retry at once, forever, and log nothing. Meanwhile the spare descriptors are there for everything else.
///
/// Used on the event loop of the listening channel only, as the first handler of its pipeline.
final class AcceptPause: ChannelInboundHandler {
  typealias InboundIn = NIOAny
  typealias InboundOut = NIOAny

  static let length = TimeAmount.seconds(1)

  private let logger: Logger
  private let spare: SpareDescriptors
  private var isPaused = false
  private var isScarce = false

  init(logger: Logger, spare: SpareDescriptors) {
    self.logger = logger
    self.spare = spare
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let code = (error as? IOError)?.errnoCode, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code) else {
      // A client that disconnected before it was accepted is no error.
      if (error as? IOError)?.errnoCode != ECONNABORTED { context.fireErrorCaught(error) }
      return
    }
    if !isScarce {
      isScarce = true
      logger.error(
        "no connection can be accepted for want of descriptors or memory; new ones wait",
        metadata: ["reason": "\(String(cString: strerror(code)))"])
    }
    guard !isPaused else { return }
    isPaused = true
    spare.release()
    setReading(false, context.channel)
    goOn(context.channel)
  }

  /// After a pause, and after further ones until the spare descriptors are there again.
  private func goOn(_ channel: any Channel) {
    let handler = NIOLoopBound(self, eventLoop: channel.eventLoop)
    channel.eventLoop.scheduleTask(in: Self.length) {
      guard handler.value.spare.regain() || !channel.isActive else { return handler.value.goOn(channel) }
      handler.value.isPaused = false
      handler.value.setReading(true, channel)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isScarce {
      isScarce = false
      logger.notice("connections are accepted again")
    }
    context.fireChannelRead(data)
  }

  private func setReading(_ isReading: Bool, _ channel: any Channel) {
    guard channel.isActive else { return }
    try? channel.syncOptions?.setOption(.autoRead, value: isReading)
  }
}
