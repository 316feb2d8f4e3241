import Synchronization

extension APIClient {
  /// Something that happened to the account's servers.
  public struct Event: Sendable, Hashable {
    /// What to go on after.
    public let id: String
    /// `server.status`, `server.deleted`, `server.deletion`, `server.throttle`, `operation`, `gap`; and before the first of a connection `beginning`,
    /// which says from where on it tells.
    public let type: String
    public let data: JSON
  }

  static let silenceSeconds = 45

  /// What happens from now on, or after an event, over one connection: the stream ends, or throws, with it.
  ///
  /// - Parameter limit: It ends by itself then.
  public func events(after id: String? = nil, limit: Duration? = nil) -> AsyncThrowingStream<Event, any Error> {
    events(after: id, limit: limit, Arrival())
  }

  /// Whether anything came over a connection, be it only a sign that the service is there.
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

  /// The same over as many connections as it takes: none that is lost loses an event. It throws when the service cannot be
  /// reached for a minute, or says no.
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
              // A connection that was quiet for long was one until now.
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

  /// What a service that restarts, and what stands before it, say meanwhile.
  private static func isPassing(_ error: any Error, isReconnecting: Bool) -> Bool {
    switch error {
    case let failure as ConnectionFailure: failure.kind == .lost || (failure.kind == .unreachable && isReconnecting)
    case let error as APIError: isReconnecting && [502, 503, 504].contains(error.status)
    case let reply as UnexpectedReply: isReconnecting && [502, 503, 504].contains(reply.status)
    default: false
    }
  }

  /// What was waited for, once it is there. Looks after the service has begun to tell what happens, and then whenever something
  /// did; never by itself.
  ///
  /// - Parameters:
  ///   - isRelevant: Whether it is worth to look after this event.
  ///   - look: Nil while it is not over.
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
