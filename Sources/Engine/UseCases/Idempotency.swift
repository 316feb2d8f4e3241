package import Core
import Foundation

/// Lets a client send a request again after it lost the connection, without having it carried out twice.
///
/// The key is claimed before the request is carried out. The request makes its changes in one transaction, which marks the
/// claim and fails where the claim was lost. So a process that dies leaves either a claim that expires and can be taken again,
/// or one that says that the work is done.
package struct Idempotency: Sendable {
  package static let maximumKeyLength = 255
  static let lifetime = Duration.seconds(24 * 3600)
  /// Longer than any request takes, with the longest wait that a client may ask for.
  static let lease = Duration.seconds(180)
  /// Requests younger than this are never forgotten to make room: clients may still repeat them.
  static let certainLifetime = Duration.seconds(3600)

  /// How much is kept of an account's requests.
  package struct Limits: Sendable, Equatable {
    /// 0 for no limit.
    package var requests = 10_000
    /// The total size of the stored answers.
    package var bytes = 16 << 20

    package init() {}
  }

  package enum Beginning: Sendable {
    /// The request is to be carried out as the attempt's caller, and then finished or abandoned.
    case first(Attempt)
    case answered(status: Int, body: [UInt8])
  }

  package struct Attempt: Sendable {
    /// Changes by this caller are made under the claim.
    package let caller: Caller
    let request: IdempotentRequest
    let seal: SealedBody
  }

  private let store: any IdempotencyStore
  private let clock: any WallClock
  private let limits: Limits
  private let endings: RequestEndings

  package init(store: any IdempotencyStore, clock: any WallClock, limits: Limits = Limits()) {
    self.store = store
    self.clock = clock
    self.limits = limits
    endings = RequestEndings(clock: clock)
  }

  package func begin(
    key: String, method: String, path: String, body: [UInt8], _ caller: Caller
  ) async throws -> Beginning {
    guard (1...Self.maximumKeyLength).contains(key.utf8.count) else {
      throw Failure(.invalidRequest, "Idempotency-Key must have 1 to \(Self.maximumKeyLength) characters.")
    }
    let request = IdempotentRequest(
      accountID: caller.accountID, principal: caller.principal,
      keyHash: SHA256.hexadecimal(Self.salted("key", Array(key.utf8), caller)),
      fingerprint: SHA256.hexadecimal(Self.salted("\(method) \(path)", body, caller)), claim: UUID.random())
    let seal = SealedBody(key: SHA256.digest(Self.salted("body", Array(key.utf8), caller)))
    let now = clock.now
    let retention = RequestRetention(
      lifetime: Self.lifetime, certainLifetime: Self.certainLifetime,
      maximumCount: limits.requests > 0 ? limits.requests : nil, maximumBytes: limits.bytes)
    let state: RequestState
    do {
      state = try await store.claim(request, leaseUntil: now + Self.lease, keeping: retention, at: now)
    } catch let error as StoreUnavailable {
      // The claim may have been committed all the same.
      endings.add(for: Self.lease) { [store] in try await store.abandon(request) }
      throw error
    }
    switch state {
    case .claimed:
      return .first(Attempt(caller: caller.under(request.claim), request: request, seal: seal))
    case .underWay: throw Self.underWay
    case .different: throw Self.usedOtherwise
    case .carriedOut: throw Self.answerLost
    case .answered(let status, let sealedBody):
      guard let body = seal.open(sealedBody) else { throw Self.answerLost }
      return .answered(status: status, body: body)
    }
  }

  /// Stores the answer to a request that was carried out.
  package func finish(_ attempt: Attempt, status: Int, body: [UInt8]) async throws {
    guard let sealed = attempt.seal.seal(body) else { throw Failure.internalError("libcrypto does not encrypt.") }
    try await endings.tell(for: Self.lease) { [store] in
      try await store.finish(attempt.request, status: status, sealedBody: sealed)
    }
  }

  /// Releases the key of a request that was refused, so that the client can use it again. If the request has changed something,
  /// its key stays taken.
  package func abandon(_ attempt: Attempt) async throws {
    try await endings.tell(for: Self.lease) { [store] in try await store.abandon(attempt.request) }
  }

  package static let usedOtherwise = Failure(
    .unprocessable, "This Idempotency-Key was used for another request.")
  package static let underWay = Failure(
    .conflict, "The first request with this Idempotency-Key is still being carried out.")
  package static let answerLost = Failure(
    .conflict,
    "The first request with this Idempotency-Key was carried out, but its answer was lost. Read what it made before you "
      + "send it again with another key.")

  private static func salted(_ purpose: String, _ bytes: [UInt8], _ caller: Caller) -> [UInt8] {
    Array("vpsd \(purpose) \(caller.accountID)\n".utf8) + bytes
  }
}

extension Failure {
  /// Whether the first request with the same key is still being carried out. Repeated later, the request gets its answer.
  package var isUnderWay: Bool { code == .conflict && message == Idempotency.underWay.message }
}
