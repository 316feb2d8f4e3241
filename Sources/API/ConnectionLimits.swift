package import HummingbirdCore
import NIOCore

/// What one connection may take, and one address of them.
package struct ConnectionLimits: Sendable, Equatable {
  /// An address may have so many at once; 0 for as many as there are.
  package var connectionsPerAddress = 256
  /// A connection on which nobody asks anything, and one whose next request takes longer to begin, is closed.
  package var idle = Duration.seconds(60)
  /// The body of a request must come, and a client must take some of its reply, within this time.
  package var transfer = Duration.seconds(60)

  package init() {}

  package func http() -> HTTP1Channel.Configuration {
    let counts = ConnectionCounts()
    let limits = self
    return HTTP1Channel.Configuration(
      additionalChannelHandlers: [
        ConnectionShare(counts, limit: limits.connectionsPerAddress), TransferDeadline(.init(limits.transfer)),
      ],
      idleTimeout: .init(idle),
      httpDecoderConfiguration: .init(maxHeaderFieldSize: 16_384, maxHeaderListSize: 32_768, maxHeaderFieldCount: 100))
  }
}
