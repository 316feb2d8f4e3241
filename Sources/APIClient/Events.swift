extension APIClient {
  /// Something that happened to the account's servers.
  public struct Event: Sendable, Hashable {
    /// What to go on after.
    public let id: String
    /// `server.status`, `server.deleted`, `server.deletion`, `operation`, `gap`; and before the first of a connection `beginning`,
    /// which says from where on it tells.
    public let type: String
    public let data: JSON
  }

  static let silenceSeconds = 45

  /// What happens from now on, or after an event, over one connection: the stream ends, or throws, with it.
  ///
  /// - Parameter limit: It ends by itself then.
  public func events(after id: String? = nil, limit: Duration? = nil) -> AsyncThrowingStream<Event, any Error> {
    AsyncThrowingStream { continuation in
      let task = Task {
        let parser = EventParser()
        do {
          try await stream(
            "/events/", headers: id.map { [("Last-Event-ID", $0)] } ?? [], silenceSeconds: Self.silenceSeconds,
            limit: limit
          ) { bytes in
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
            do {
              for try await event in events(after: last, limit: rest) {
                reached = .now
                if !event.id.isEmpty { last = event.id }
                continuation.yield(event)
              }
            } catch let failure as ConnectionFailure where [.lost, .unreachable].contains(failure.kind) {
              if let deadline, .now >= deadline { return continuation.finish() }
              guard .now - reached < .seconds(60), failure.kind == .lost || last != nil else { throw failure }
            }
            try await Task.sleep(for: .milliseconds(500))
          }
        } catch {
          continuation.finish(throwing: error)
        }
      }
      continuation.onTermination = { _ in task.cancel() }
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
