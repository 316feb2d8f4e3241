import Core
import Foundation
import NIOCore
import Synchronization

/// Tells each host of what happens on its member, by one connection for all of them, which is there while anybody listens.
final class EventFeed: Sendable {
  /// The part of an event that says whose it is.
  private struct Event: Decodable { let location: String? }

  private struct Subscriber {
    /// Nil for all members.
    let member: String?
    let continuation: AsyncStream<Void>.Continuation
  }

  private struct State {
    var subscribers: [UUID: Subscriber] = [:]
    var listening: Task<Void, Never>?
  }

  private static let pause = Duration.seconds(5)

  private let client: IncusClient
  private let clock: any WallClock
  private let state = Mutex(State())

  init(client: IncusClient, clock: any WallClock) {
    self.client = client
    self.clock = clock
  }

  func subscribe(member: String?) -> AsyncStream<Void> {
    // Of a hint one is as good as many.
    AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
      let key = UUID()
      continuation.onTermination = { _ in self.unsubscribe(key) }
      state.withLock { state in
        state.subscribers[key] = Subscriber(member: member, continuation: continuation)
        state.listening = state.listening ?? Task { await self.listen() }
      }
    }
  }

  private func unsubscribe(_ key: UUID) {
    let idle = state.withLock { state -> Task<Void, Never>? in
      state.subscribers[key] = nil
      guard state.subscribers.isEmpty else { return nil }
      defer { state.listening = nil }
      return state.listening
    }
    idle?.cancel()
  }

  private func listen() async {
    while !Task.isCancelled {
      try? await client.listen(toEventsOf: "lifecycle") { self.tell(of: $0) }
      // Whatever happened while nobody listened.
      tell(member: nil)
      try? await clock.sleep(for: Self.pause)
    }
  }

  private func tell(of text: ByteBuffer) {
    tell(member: (try? JSONDecoder().decode(Event.self, from: Data(text.readableBytesView)))?.location)
  }

  /// - Parameter member: Nil where it is not known.
  private func tell(member: String?) {
    let told = state.withLock { state in
      state.subscribers.values.filter { $0.member == nil || member == nil || $0.member == member }
    }
    for subscriber in told { subscriber.continuation.yield() }
  }
}
