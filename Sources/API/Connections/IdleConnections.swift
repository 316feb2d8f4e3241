import HummingbirdCore
import NIOCore
import Synchronization

/// Counts the open connections, and knows which of them have no request at the moment. If there is no room for another
/// one, the connection that has been idle for longest is closed, so that idle clients cannot keep out active ones.
final class IdleConnections: Sendable {
  private struct Idle {
    let channel: any Channel
    let since: NIODeadline
  }

  private struct State {
    var openCount = 0
    /// By numbers that grow with time, so that the smallest has been idle for longest.
    var idle: [UInt64: Idle] = [:]
    var next: UInt64 = 0
  }

  /// A connection that is new, or has just got a reply, is not closed for this long.
  private static let grace = TimeAmount.milliseconds(500)

  private let limit: Int
  private let state = Mutex(State())

  /// - Parameter limit: 0 for as many as the system allows.
  init(limit: Int) {
    self.limit = limit
  }

  fileprivate var hasRoom: Bool { state.withLock { $0.openCount < limit } }

  fileprivate func opened() {
    state.withLock { $0.openCount += 1 }
    makeRoom()
  }

  fileprivate func closed() { state.withLock { $0.openCount -= 1 } }

  /// - Returns: The number to pass to `leave`.
  fileprivate func enter(_ channel: any Channel) -> UInt64 {
    let (number, isFull) = state.withLock { state in
      state.next += 1
      state.idle[state.next] = Idle(channel: channel, since: .now())
      return (state.next, limit > 0 && state.openCount >= limit)
    }
    // When the limit is reached, no connection may be accepted before the grace period ends, so nothing else would
    // check then.
    if isFull { channel.eventLoop.scheduleTask(in: Self.grace) { self.makeRoom() } }
    return number
  }

  fileprivate func leave(_ number: UInt64) {
    state.withLock { _ = $0.idle.removeValue(forKey: number) }
  }

  private func makeRoom() {
    let longestIdle: (any Channel)? = state.withLock { state in
      guard limit > 0, state.openCount >= limit, let number = state.idle.keys.min(), let idle = state.idle[number],
        idle.since + Self.grace <= .now()
      else { return nil }
      state.idle[number] = nil
      return idle.channel
    }
    longestIdle?.close(promise: nil)
  }
}

/// The idle state of one connection. Used on the event loop of its channel only.
final class ConnectionSilence {
  private let idle: IdleConnections
  private let channel: any Channel
  private var number: UInt64?
  private var firstRequest: Scheduled<Void>?
  private var isClosed = false

  /// A new connection begins as idle, and is closed unless its first request arrives in time.
  init(_ channel: any Channel, firstRequestWithin limit: TimeAmount, among idle: IdleConnections) {
    self.idle = idle
    self.channel = channel
    firstRequest = channel.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    number = idle.enter(channel)
    let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
    channel.closeFuture.whenComplete { _ in
      bound.value.isClosed = true
      bound.value.end()
    }
  }

  func begin() {
    guard number == nil, !isClosed else { return }
    number = idle.enter(channel)
  }

  func end() {
    firstRequest?.cancel()
    firstRequest = nil
    if let number { idle.leave(number) }
    number = nil
  }
}

/// Limits how many connections are open at once.
struct ConnectionPlaces: AvailableConnectionsDelegate {
  let idle: IdleConnections

  mutating func connectionOpened() { idle.opened() }
  mutating func connectionClosed() { idle.closed() }
  func isAcceptingNewConnections() -> Bool { idle.hasRoom }
}
