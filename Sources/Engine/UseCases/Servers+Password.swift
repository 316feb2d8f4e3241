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
    try await passwordResets.alone(with: server) {
      do {
        try await fleet.driver(of: server).setPassword(hash: password.hash, of: system.username, in: server.uuid)
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
}

/// The password resets under way. Each waits for a guest, so there may be one per server, and a few per account.
final class PasswordResets: Sendable {
  private static let maximumPerAccount = 4

  private let servers = Mutex<[ID<Server>: ID<Account>]>([:])

  func alone<Outcome>(with server: Server, _ body: () async throws -> Outcome) async throws -> Outcome {
    try servers.withLock { servers in
      guard servers[server.id] == nil, servers.values.count(where: { $0 == server.accountID }) < Self.maximumPerAccount
      else { throw Failure(.conflict, "Another password is being set: ask again in a moment.") }
      servers[server.id] = server.accountID
    }
    defer { servers.withLock { _ = $0.removeValue(forKey: server.id) } }
    return try await body()
  }
}
