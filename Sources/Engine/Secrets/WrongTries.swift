import Core

/// How often somebody was wrong about a secret of an account, whatever address they came from, and whichever service they asked: a
/// few times an hour, and then nobody is asked any more.
struct WrongTries: Sendable {
  private static let most = 20
  private static let span = Duration.seconds(3600)

  let store: any AttemptStore

  /// Counts as wrong until it is forgotten, so that of many at once no more are tried than may be. Throws where it was too often.
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
