package import Core
import Synchronization

extension Servers {
  /// Gives the login account of the server's image a random password, through the guest's agent, and returns it. It is shown
  /// this once, and kept nowhere.
  package func resetPassword(of id: ID<Server>, _ caller: Caller) async throws -> String {
    try caller.require(Self.toChange)
    guard let server = try await store.server(id, of: caller.accountID) else { throw Failure.notFound }
    guard server.status == .active else { throw Failure(.wrongState, "Server is not running.") }
    guard server.machine.rescue == nil else { throw Failure.inRescue }
    let catalogue = try await catalogueReader.catalogue()
    guard let system = catalogue.operatingSystem(server.operatingSystemID) else {
      throw Failure.internalError("Server \(server.id) names something that is not in the catalogue.")
    }
    let password = try RootPassword.random()
    let reset = PasswordReset(
      serverID: server.id, hostID: server.hostID, machine: server.uuid, account: system.username, hash: password.hash)
    try await passwordResets.alone(with: server) {
      do {
        try await carryOut(reset, of: server)
      } catch let error as DriverError where error.isWorthRetrying {
        throw Failure(
          .noCapacity, "The server does not answer at the moment.", privateDetail: error.detail, cause: error)
      } catch let error as DriverError {
        throw Failure(
          .wrongState, error.customerReason ?? "The server did not take a new password.",
          privateDetail: error.detail, cause: error)
      }
      // If the process dies before this, nobody knows the new password, and the customer can repeat the request.
      guard try await store.recordPasswordReset(of: id, by: caller, at: clock.now) else { throw Failure.notFound }
    }
    return password.text
  }
  /// How long another service may take to set a password.
  private static let resetPatience = Duration.seconds(30)

  /// Has the password set by the service that has the server's host, which may be this one.
  private func carryOut(_ reset: PasswordReset, of server: Server) async throws {
    if fleet[server.hostID]?.isServedHere == true {
      return try await fleet.driver(of: server).setPassword(
        hash: reset.hash, of: reset.account, in: reset.machine)
    }
    guard !fleet.isAway(server.hostID) else {
      throw DriverError(.unreachable, "the host of server \(server.id) is away")
    }
    let deadline = clock.uptime + Self.resetPatience
    guard try await store.ask(for: reset, until: clock.now + Self.resetPatience, at: clock.now) else {
      throw PasswordResets.isUnderWay
    }
    let outcome = try await outcome(of: reset, until: deadline)
    // What cannot be forgotten is removed when its time is over.
    try? await store.forget(reset)
    if case .failed(let kind, let reason) = outcome {
      throw DriverError(kind, "the service that has the host could not do it", customerReason: reason)
    }
  }

  private func outcome(of reset: PasswordReset, until deadline: Instant) async throws -> PasswordReset.Outcome {
    try await changes.listen(to: reset.serverID) { bell in
      while true {
        if let outcome = try await store.outcome(of: reset) { return outcome }
        guard clock.uptime < deadline, !Task.isCancelled, !changes.isOver else {
          return .failed(.unreachable, customerReason: nil)
        }
        await bell.wait(until: min(deadline, clock.uptime + Self.longestSilence), clock: clock)
      }
    }
  }
}

/// The password resets under way. Each waits for a guest, so there may be one per server, and a few per account.
final class PasswordResets: Sendable {
  static let isUnderWay = Failure(.conflict, "Another password is being set: ask again in a moment.")
  private static let maximumPerAccount = 4

  private let servers = Mutex<[ID<Server>: ID<Account>]>([:])

  func alone<Outcome>(with server: Server, _ body: () async throws -> Outcome) async throws -> Outcome {
    try servers.withLock { servers in
      guard servers[server.id] == nil, servers.values.count(where: { $0 == server.accountID }) < Self.maximumPerAccount
      else { throw Self.isUnderWay }
      servers[server.id] = server.accountID
    }
    defer { servers.withLock { _ = $0.removeValue(forKey: server.id) } }
    return try await body()
  }
}
