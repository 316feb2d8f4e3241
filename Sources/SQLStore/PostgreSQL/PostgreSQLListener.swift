import Core
import Foundation
import Synchronization

/// What a transaction said that was committed.
struct PostgreSQLNotification {
  /// The server's process of the connection that said it.
  let process: CInt
  let text: String
}

/// Hears on a connection of its own what other services say when they have committed. A connection that is lost is made anew, and
/// what was missed meanwhile is told as `unknown`: whoever listens looks.
final class PostgreSQLListener: Sendable {
  private static let channel = "vpsd"
  private static let longestWait = Duration.seconds(1)
  /// Whether the server is still there is asked when nothing was heard for so long.
  private static let longestSilence = Duration.seconds(5)
  private static let pauses = [100, 200, 500, 1000]
  /// Who is slower than this is told to look, and not at what.
  private static let mostWaiting = 1000

  private let address: PostgreSQLAddress
  private let isOwn: @Sendable (CInt) -> Bool
  private let isOver = Mutex(false)

  /// - Parameter isOwn: Whether this service itself says it, by that process of the server.
  init(_ address: PostgreSQLAddress, isOwn: @escaping @Sendable (CInt) -> Bool) {
    self.address = address
    self.isOwn = isOwn
  }

  /// For as long as anybody listens to what it returns.
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
        continuation.yield(StoreChange(notification.text))
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
  /// As the triggers of the database say it: a server and its host.
  fileprivate init(_ text: String) {
    let words = text.split(separator: " ").compactMap { Int64($0) }
    if text == "duty" {
      self = .duty
    } else if words.count == 2 {
      self = .server(ID(words[0]), on: ID(words[1]))
    } else {
      self = .unknown
    }
  }
}
