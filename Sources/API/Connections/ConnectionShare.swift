import Core
import NIOCore
import Synchronization

/// How many connections each client has open.
final class ConnectionCounts: Sendable {
  private let counts = Mutex<[IPAddress: Int]>([:])

  /// Returns false, and counts nothing, if the client has as many as it may have.
  func open(_ client: IPAddress, atMost limit: Int) -> Bool {
    counts.withLock { counts in
      guard counts[client, default: 0] < limit else { return false }
      counts[client, default: 0] += 1
      return true
    }
  }

  func close(_ client: IPAddress) {
    counts.withLock { counts in
      let left = counts[client, default: 0] - 1
      counts[client] = left > 0 ? left : nil
    }
  }

  var total: Int { counts.withLock { $0.values.reduce(0, +) } }
}

/// Closes a connection at once if its client has too many, so that one client cannot take all of them. It is the first
/// handler of every pipeline, from the moment when the connection is accepted.
///
/// Used on the event loop of its channel only.
final class ConnectionShare: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = NIOAny
  typealias InboundOut = NIOAny

  private let counts: ConnectionCounts
  private let limit: Int
  private var counted: IPAddress?

  init(_ counts: ConnectionCounts, limit: Int) {
    self.counts = counts
    self.limit = limit
  }

  func handlerAdded(context: ChannelHandlerContext) {
    guard limit > 0, let client = context.channel.remoteAddress?.ipAddress.flatMap({ IPAddress($0) })?.client else {
      return
    }
    if counts.open(client, atMost: limit) {
      counted = client
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
