import Core
import Engine
import HTTPTypes
import Hummingbird
import NIOCore

/// Server-sent events: what happens to an account's servers, as it happens.
struct EventRoutes {
  private static let lastEventID = HTTPField.Name("Last-Event-ID")!

  let events: Events
  private let streams = EventStreams()

  init(events: Events) {
    self.events = events
  }

  var endpoints: [Endpoint] {
    [
      Endpoint(
        .get, "/events/", Events.toFollow, mediaType: "text/event-stream", handle: follow)
    ]
  }

  @Sendable private func follow(_ request: APIRequest) async throws -> Response {
    let text = try request.request.headers[Self.lastEventID] ?? request.query("last_event_id")
    var start: Int64?
    if let text, !text.isEmpty {
      guard let id = Int64(text), id >= 0 else {
        throw Failure(.invalidRequest, "Last-Event-ID must be the id of an event.")
      }
      start = id
    }
    let place = try streams.enter(request.caller.accountID, atMost: request.gate.limits.eventStreamsPerAccount)
    let events = events
    return Response(
      status: .ok,
      headers: [.contentType: "text/event-stream", .cacheControl: "no-cache", .init("X-Accel-Buffering")!: "no"],
      body: ResponseBody { [start] writer in
        try await events.follow(
          after: start, request.caller, isWelcome: { await request.isStillAllowed() },
          { element in try await writer.write(EventWire.element(element)) })
        try await writer.finish(nil)
        withExtendedLifetime(place) {}
      })
  }
}
