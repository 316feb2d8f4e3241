import Core
import Synchronization
import TestSupport
import Testing

@testable import Engine

@Suite("What became of a request with a key while the database was away is known once it is there again")
struct RequestEndingTests {
  /// Between the use case and the store, with which it is cut off at times.
  private final class Line: IdempotencyStore {
    private let store: any IdempotencyStore
    private let state = Mutex((isCut: false, losesAnswers: false))
    private let told = AsyncStream.makeStream(of: Void.self)

    init(_ store: any IdempotencyStore) {
      self.store = store
    }

    func cut() { state.withLock { $0.isCut = true } }
    func loseAnswers() { state.withLock { $0.losesAnswers = true } }
    func mend() { state.withLock { $0 = (false, false) } }

    /// Returns once the store was told something.
    func whenTold() async {
      for await _ in told.stream { return }
    }

    func claim(
      _ request: IdempotentRequest, leaseUntil: Timestamp, keeping retention: RequestRetention, at now: Timestamp
    ) async throws -> RequestState {
      let state = try await store.claim(request, leaseUntil: leaseUntil, keeping: retention, at: now)
      try requireWhole()
      return state
    }

    func finish(_ request: IdempotentRequest, status: Int, sealedBody: [UInt8]) async throws {
      try requireWhole()
      try await store.finish(request, status: status, sealedBody: sealedBody)
      told.continuation.yield()
    }

    func abandon(_ request: IdempotentRequest) async throws {
      try requireWhole()
      try await store.abandon(request)
      told.continuation.yield()
    }

    private func requireWhole() throws {
      if state.withLock({ $0.isCut || $0.losesAnswers }) { throw StoreUnavailable("away") }
    }
  }

  private let service: TestService
  private let line: Line
  private let requests: Idempotency

  init() async throws {
    service = try await TestService()
    line = Line(service.store)
    requests = Idempotency(store: line, clock: service.clock)
  }

  private func begin() async throws -> Idempotency.Beginning {
    try await requests.begin(key: "k", method: "POST", path: "/api/v1/servers", body: [1], service.owner)
  }

  private func first() async throws -> Idempotency.Attempt {
    guard case .first(let attempt) = try await begin() else { throw Failure.internalError("it is not the first") }
    return attempt
  }

  private func refusal() async -> String? {
    await #expect(throws: Failure.self) { try await begin() }?.message
  }

  private func comeBack() async {
    await service.clock.whenSleeping()
    // Still away, and then not any more.
    service.clock.advance(by: .seconds(1))
    await service.clock.whenSleeping()
    line.mend()
    service.clock.advance(by: .seconds(1))
    await line.whenTold()
  }

  @Test("An answer that could not be kept is kept then")
  func answer() async throws {
    let attempt = try await first()
    line.cut()
    await #expect(throws: StoreUnavailable.self) { try await requests.finish(attempt, status: 201, body: [7]) }
    await comeBack()
    guard case .answered(let status, let body) = try await begin() else {
      Issue.record("the answer is lost")
      return
    }
    #expect(status == 201)
    #expect(body == [7])
  }

  @Test(
    "A key is free again where nothing was changed, and known to have been used where something was",
    arguments: [false, true])
  func abandoned(isChanged: Bool) async throws {
    let attempt = try await first()
    if isChanged { _ = try await service.servers.create(service.draft(), attempt.caller) }
    line.cut()
    await #expect(throws: StoreUnavailable.self) { try await requests.abandon(attempt) }
    line.mend()
    #expect(await refusal() == Idempotency.underWay.message)
    line.cut()
    await comeBack()
    if isChanged {
      #expect(await refusal() == Idempotency.answerLost.message)
    } else {
      _ = try await first()
    }
  }

  @Test("A claim of which nobody learned that it was made is given back")
  func claim() async throws {
    line.loseAnswers()
    await #expect(throws: StoreUnavailable.self) { try await begin() }
    await comeBack()
    _ = try await first()
  }
}
