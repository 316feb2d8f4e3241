import NIOCore
import Synchronization

/// How many connections each address has open.
final class ConnectionCounts: Sendable {
  private let counts = Mutex<[String: Int]>([:])

  /// False, and nothing is counted, where the address has as many as it may have.
  func open(_ address: String, atMost limit: Int) -> Bool {
    counts.withLock { counts in
      guard counts[address, default: 0] < limit else { return false }
      counts[address, default: 0] += 1
      return true
    }
  }

  func close(_ address: String) {
    counts.withLock { counts in
      let left = counts[address, default: 0] - 1
      counts[address] = left > 0 ? left : nil
    }
  }

  var total: Int { counts.withLock { $0.values.reduce(0, +) } }
}

/// Closes a connection at once where its address has too many, so that one client cannot take all of them.
///
/// Used on the event loop of its channel only.
final class ConnectionShare: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = NIOAny
  typealias InboundOut = NIOAny

  private let counts: ConnectionCounts
  private let limit: Int
  private var counted: String?

  init(_ counts: ConnectionCounts, limit: Int) {
    self.counts = counts
    self.limit = limit
  }

  func handlerAdded(context: ChannelHandlerContext) {
    guard limit > 0, let address = context.channel.remoteAddress?.ipAddress else { return }
    if counts.open(address, atMost: limit) {
      counted = address
    } else {
      context.channel.close(promise: nil)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    giveBack()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    giveBack()
  }

  private func giveBack() {
    if let counted { counts.close(counted) }
    counted = nil
  }
}
