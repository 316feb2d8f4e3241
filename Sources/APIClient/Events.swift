import Synchronization

extension APIClient {
  /// Something that happened to the account's servers.
  public struct Event: Sendable, Hashable {
    /// The id to continue after.
    public let id: String
    /// `server.status`, `server.deleted`, `server.deletion`, `server.throttle`, `operation` or `gap`. Each connection
    /// starts with `beginning`, whose id tells after which event it continues.
    public let type: String
    public let data: JSON
  }

  static let silenceSeconds = 45

  /// The events from now on, or after the given one, over one connection: when that ends, the stream ends or throws.
  ///
  /// - Parameter limit: The stream ends after this time.
  public func events(after id: String? = nil, limit: Duration? = nil) -> AsyncThrowingStream<Event, any Error> {
    events(after: id, limit: limit, Arrival())
  }

  /// Whether anything arrived over a connection, even if only a heartbeat.
  private final class Arrival: Sendable {
    private let isSome = Atomic<Bool>(false)

    func note() { isSome.store(true, ordering: .relaxed) }
    var hasCome: Bool { isSome.load(ordering: .relaxed) }
  }

  private func events(
    after id: String?, limit: Duration?, _ arrival: Arrival
  ) -> AsyncThrowingStream<Event, any Error> {
    AsyncThrowingStream { continuation in
      let task = Task {
        let parser = EventParser()
        do {
          try await stream(
            "/events/", headers: id.map { [("Last-Event-ID", $0)] } ?? [], silenceSeconds: Self.silenceSeconds,
            limit: limit
          ) { bytes in
            arrival.note()
            for event in parser.take(bytes) { continuation.yield(event) }
          }
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }

  /// The same over as many connections as needed, without losing an event between them. Throws if the service cannot be
  /// reached for as long as the retry policy says (`reconnecting`), or if it refuses.
  public func allEvents(after id: String? = nil, limit: Duration? = nil) -> AsyncThrowingStream<Event, any Error> {
    let deadline = limit.map { ContinuousClock.now + $0 }
    return AsyncThrowingStream { continuation in
      let task = Task {
        var last = id
        var reached = ContinuousClock.now
        do {
          while true {
            let rest = deadline.map { $0 - .now }
            if let rest, rest <= .zero { return continuation.finish() }
            let arrival = Arrival()
            do {
              for try await event in events(after: last, limit: rest, arrival) {
                if !event.id.isEmpty { last = event.id }
                continuation.yield(event)
              }
            } catch let error where Self.isPassing(error, isReconnecting: last != nil) {
              if let deadline, .now >= deadline { return continuation.finish() }
              // Even if it was quiet for long, the connection worked until now.
              if arrival.hasCome { reached = .now }
              guard .now - reached < retry.reconnecting else { throw error }
            }
            if arrival.hasCome { reached = .now }
            try await Task.sleep(for: .milliseconds(500))
          }
        } catch {
          continuation.finish(throwing: error)
        }
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }

  /// Whether the error is temporary: such answers come while a service restarts, from it or from a proxy in front of
  /// it.
  private static func isPassing(_ error: any Error, isReconnecting: Bool) -> Bool {
    switch error {
    case let failure as ConnectionFailure: failure.kind == .lost || (failure.kind == .unreachable && isReconnecting)
    case let error as APIError: isReconnecting && [502, 503, 504].contains(error.status)
    case let reply as UnexpectedReply: isReconnecting && [502, 503, 504].contains(reply.status)
    default: false
    }
  }

  /// Waits for the value that `look` returns. Calls `look` once the stream of events has begun, and then after each
  /// relevant event, but never on a timer.
  ///
  /// - Parameters:
  ///   - isRelevant: Whether to call `look` after this event.
  ///   - look: Returns nil as long as the wait must go on.
  public func wait<Value: Sendable>(
    atMost limit: Duration, after isRelevant: (Event) -> Bool = { _ in true }, look: () async throws -> Value?
  ) async throws -> Value {
    for try await event in allEvents(limit: limit) {
      guard event.type == "beginning" || event.type == "gap" || isRelevant(event) else { continue }
      if let value = try await look() { return value }
    }
    try Task.checkCancellation()
    throw WaitTimedOut()
  }
}
