import HummingbirdCore
import NIOCore
import Synchronization

/// How many connections are open, and on which of them nothing is asked at the moment. Where there is no room for another one,
/// the one that has been silent for longest makes room: those who say nothing cannot keep out those who do.
final class IdleConnections: Sendable {
  private struct State {
    var openCount = 0
    var channels: [UInt64: any Channel] = [:]
    var next: UInt64 = 0

    /// The numbers grow with time.
    mutating func removeLongestIdle() -> (any Channel)? {
      channels.keys.min().flatMap { channels.removeValue(forKey: $0) }
    }
  }

  private let limit: Int
  private let state = Mutex(State())

  /// - Parameter limit: 0 for as many as the system lets us have.
  init(limit: Int) {
    self.limit = limit
  }

  fileprivate var hasRoom: Bool { state.withLock { $0.openCount < limit } }

  fileprivate func opened() {
    let longestIdle = state.withLock { state in
      state.openCount += 1
      return state.openCount >= limit ? state.removeLongestIdle() : nil
    }
    longestIdle?.close(promise: nil)
  }

  fileprivate func closed() { state.withLock { $0.openCount -= 1 } }

  /// A new one has its place already; one that falls silent where all places are taken gives way at once, if nobody else does.
  /// - Returns: A number to leave with.
  fileprivate func enter(_ channel: any Channel, isNew: Bool) -> UInt64 {
    let (number, longestIdle) = state.withLock { state in
      state.next += 1
      state.channels[state.next] = channel
      let isFull = limit > 0 && state.openCount >= limit
      return (state.next, isFull && !isNew ? state.removeLongestIdle() : nil)
    }
    longestIdle?.close(promise: nil)
    return number
  }

  fileprivate func leave(_ number: UInt64) {
    state.withLock { _ = $0.channels.removeValue(forKey: number) }
  }
}

/// One connection's silence. Used on the event loop of its channel only.
final class ConnectionSilence {
  private let idle: IdleConnections
  private let channel: any Channel
  private var number: UInt64?
  private var firstRequest: Scheduled<Void>?
  private var isClosed = false

  /// A new connection is silent, and not for long.
  init(_ channel: any Channel, firstRequestWithin limit: TimeAmount, among idle: IdleConnections) {
    self.idle = idle
    self.channel = channel
    firstRequest = channel.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    number = idle.enter(channel, isNew: true)
    let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
    channel.closeFuture.whenComplete { _ in
      bound.value.isClosed = true
      bound.value.end()
    }
  }

  func begin() {
    guard number == nil, !isClosed else { return }
    number = idle.enter(channel, isNew: false)
  }

  func end() {
    firstRequest?.cancel()
    firstRequest = nil
    if let number { idle.leave(number) }
    number = nil
  }
}

/// Lets so many connections be open at once.
struct ConnectionPlaces: AvailableConnectionsDelegate {
  let idle: IdleConnections

  mutating func connectionOpened() { idle.opened() }
  mutating func connectionClosed() { idle.closed() }
  func isAcceptingNewConnections() -> Bool { idle.hasRoom }
}
