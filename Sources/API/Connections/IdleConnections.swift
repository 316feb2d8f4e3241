import HummingbirdCore
import NIOCore
import Synchronization

/// How many connections are open, and on which of them nothing is asked at the moment. Where there is no room for another one,
/// the one that has been silent for longest makes room: those who say nothing cannot keep out those who do.
final class IdleConnections: Sendable {
  private struct Idle {
    let channel: any Channel
    let since: NIODeadline
  }

  private struct State {
    var openCount = 0
    /// The numbers grow with time.
    var idle: [UInt64: Idle] = [:]
    var next: UInt64 = 0
  }

  /// Whoever has just come, or has just got a reply, has a moment to say something.
  private static let grace = TimeAmount.milliseconds(500)

  private let limit: Int
  private let state = Mutex(State())

  /// - Parameter limit: 0 for as many as the system lets us have.
  init(limit: Int) {
    self.limit = limit
  }

  fileprivate var hasRoom: Bool { state.withLock { $0.openCount < limit } }

  fileprivate func opened() {
    state.withLock { $0.openCount += 1 }
    makeRoom()
  }

  fileprivate func closed() { state.withLock { $0.openCount -= 1 } }

  /// - Returns: A number to leave with.
  fileprivate func enter(_ channel: any Channel) -> UInt64 {
    let (number, isFull) = state.withLock { state in
      state.next += 1
      state.idle[state.next] = Idle(channel: channel, since: .now())
      return (state.next, limit > 0 && state.openCount >= limit)
    }
    // Nobody may be let in any more before that, and then nobody else would look.
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

/// Lets so many connections be open at once.
struct ConnectionPlaces: AvailableConnectionsDelegate {
  let idle: IdleConnections

  mutating func connectionOpened() { idle.opened() }
  mutating func connectionClosed() { idle.closed() }
  func isAcceptingNewConnections() -> Bool { idle.hasRoom }
}
