import Core
import Foundation
import Synchronization

/// A notification from a transaction that was committed.
struct PostgreSQLNotification {
  /// The id of the server's process for the connection that sent it.
  let process: CInt
  let text: String
}

/// Receives, on a connection of its own, what other services notify when they commit. A lost connection is made again, and what
/// was missed meanwhile is reported as `unknown`, so that the listener reads the store.
final class PostgreSQLListener: Sendable {
  private static let channel = "vpsd"
  private static let longestWait = Duration.seconds(1)
  /// After so long without a notification, a query checks that the server is still there.
  private static let longestSilence = Duration.seconds(5)
  private static let pauses = [100, 200, 500, 1000]
  /// How many changes wait for a slow listener. Beyond that it loses the oldest ones, and gets an `unknown`.
  private static let mostWaiting = 1000

  private let address: PostgreSQLAddress
  private let isOwn: @Sendable (CInt) -> Bool
  private let isOver = Mutex(false)

  /// - Parameter isOwn: Whether the server's process with this id is that of this service's own writer.
  init(_ address: PostgreSQLAddress, isOwn: @escaping @Sendable (CInt) -> Bool) {
    self.address = address
    self.isOwn = isOwn
  }

  /// Listens until the returned stream ends.
  func changes() -> AsyncStream<StoreChange> {
    AsyncStream(bufferingPolicy: .bufferingNewest(Self.mostWaiting)) { continuation in
      continuation.onTermination = { _ in self.isOver.withLock { $0 = true } }
      let thread = Thread { [self] in
        var failures = 0
        while !isOver.withLock({ $0 }) {
          do {
            try listen(continuation, &failures)
          } catch {
            poll(nil, 0, CInt(Self.pauses[min(failures, Self.pauses.count - 1)]))
            failures += 1
          }
        }
      }
      thread.name = "database listener"
      thread.start()
    }
  }

  private func listen(_ continuation: AsyncStream<StoreChange>.Continuation, _ failures: inout Int) throws {
    let connection = try PostgreSQLConnection(address)
    try connection.execute("LISTEN \(Self.channel)")
    continuation.yield(.unknown)
    failures = 0
    var heardAt = ContinuousClock.now
    while !isOver.withLock({ $0 }) {
      let heard = try connection.notifications(within: Self.longestWait)
      for notification in heard where !isOwn(notification.process) {
        if case .dropped = continuation.yield(StoreChange(notification.text)) { continuation.yield(.unknown) }
      }
      if !heard.isEmpty {
        heardAt = .now
      } else if .now - heardAt >= Self.longestSilence {
        try connection.execute("SELECT 1")
        heardAt = .now
      }
    }
  }
}

extension StoreChange {
  /// Reads the text of a notification: the ids of a server and its host, `password` with the id of a host, `duty`, or `host`.
  fileprivate init(_ text: String) {
    let words = text.split(separator: " ").compactMap { Int64($0) }
    if text == "duty" {
      self = .duty
    } else if text == "host" {
      self = .host
    } else if text.hasPrefix("password "), words.count == 1 {
      self = .passwordReset(on: ID(words[0]))
    } else if words.count == 2 {
      self = .server(ID(words[0]), on: ID(words[1]))
    } else {
      self = .unknown
    }
  }
}
