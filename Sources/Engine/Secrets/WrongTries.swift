import Core

/// Limits the wrong guesses at a secret of an account within an hour, counted over all client addresses and all services.
/// Beyond the limit every try is refused.
struct WrongTries: Sendable {
  private static let most = 20
  private static let span = Duration.seconds(3600)

  let store: any AttemptStore

  /// Counts a try as wrong until `forget`, so that concurrent tries cannot exceed the limit. Returns a name for `forget`;
  /// throws where the limit is reached.
  func begin(about subject: String, at now: Timestamp) async throws -> String {
    let name = try await store.beginTry(about: subject, atMost: Self.most, within: Self.span, at: now)
    guard let name else {
      throw Failure(
        .conflict, "Too many wrong tries. Try again in an hour, or ask the operator for a link.")
    }
    return name
  }

  func forget(_ name: String) async throws { try await store.forgetTry(name) }
}
