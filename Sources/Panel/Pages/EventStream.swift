import API
import Core
import Engine
import HTTPTypes
import Hummingbird
import NIOCore

/// Tells open pages about events of the account's servers.
struct EventStream {
  let events: Events
  let sessions: Sessions
  let limits: RequestLimits
  private let streams = EventStreams()

  init(events: Events, sessions: Sessions, limits: RequestLimits) {
    self.events = events
    self.sessions = sessions
    self.limits = limits
  }

  var routes: [PanelRoute] { [.get("/events", follow)] }

  @Sendable private func follow(_ visit: Visit) async throws -> Answer {
    let place = try streams.enter(visit.caller.accountID, atMost: limits.eventStreamsPerAccount)
    let (events, sessions) = (events, sessions)
    return .response(
      Response(
        status: .ok,
        headers: [
          .contentType: "text/event-stream", .cacheControl: "no-store", .init("X-Accel-Buffering")!: "no",
          .xContentTypeOptions: "nosniff",
        ],
        body: ResponseBody { writer in
          try await events.follow(
            after: nil, visit.caller,
            isWelcome: {
              guard !visit.visitor.context.isGone else { return false }
              return (try? await sessions.caller(in: visit.session)) != nil
            },
            { element in try await writer.write(EventWire.element(element)) })
          try await writer.finish(nil)
          withExtendedLifetime(place) {}
        }))
  }
}
