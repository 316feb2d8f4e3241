package import Core
import Synchronization

/// Consoles of servers, for callers who may change the servers.
///
/// A ticket is valid for a short time and opens its console once, at any service of the installation. Whether its bearer is
/// still allowed is checked when it is used, and repeatedly while the console is open.
package final class Consoles: Sendable {
  package static let toOpen = Permission(.servers, .write)

  /// How many may be open at once; 0 for no limit.
  package struct Limits: Sendable, Equatable {
    package var inAll = 256
    package var perAccount = 16
    package var perServer = 4
    /// How long a ticket can be used.
    package var ticketSeconds = 60

    package init() {}

    /// How many unused tickets of a server are valid at once.
    var ticketsPerServer: Int { 2 * perServer }

    static func isReached(_ limit: Int, by count: Int) -> Bool { limit > 0 && count >= limit }
  }

  package struct IssuedTicket: Sendable {
    package let ticket: ConsoleTicket
    package let server: Server
    package let expiresAt: Timestamp
    /// Where the service is reached that can open the console; nil where every service can.
    package let url: String?
  }

  private struct State {
    var open: [Int: ConsoleGrant] = [:]
    var nextNumber = 0
  }

  /// How often to check that an open console is still allowed, where no change was announced.
  private static let longestSilence = Duration.seconds(5)

  private let store: any AccountStore & ServerStore & ConsoleTicketStore
  private let fleet: Fleet
  private let changes: Broadcast
  private let clock: any WallClock
  private let limits: Limits
  private let state = Mutex(State())

  package init(
    store: any AccountStore & ServerStore & ConsoleTicketStore, fleet: Fleet, changes: Broadcast, clock: any WallClock,
    limits: Limits = Limits()
  ) {
    self.store = store
    self.fleet = fleet
    self.changes = changes
    self.clock = clock
    self.limits = limits
  }

  package func issueTicket(for id: ID<Server>, _ caller: Caller) async throws -> IssuedTicket {
    try caller.require(Self.toOpen)
    let server = try await activeServer(id, of: caller.accountID)
    try state.withLock { try requireRoom(for: id, of: caller.accountID, in: $0) }
    try await requireConsole(of: server)
    guard let server = try await store.recordConsole(of: id, by: caller, at: clock.now) else { throw Failure.notFound }
    let (ticket, lifetime) = (ConsoleTicket.random(), Duration.seconds(limits.ticketSeconds))
    let now = clock.now
    let grant = ConsoleGrant(serverID: id, accountID: caller.accountID, tokenID: caller.tokenID)
    try await store.keep(
      grant, ticketHash: ticket.hash, until: now + lifetime,
      atMost: limits.ticketsPerServer > 0 ? limits.ticketsPerServer : nil, at: now)
    return IssuedTicket(
      ticket: ticket, server: server, expiresAt: now + lifetime, url: fleet.url(of: server.hostID))
  }

  /// Uses the ticket up, even where no console is opened.
  package func open(with text: some StringProtocol) async throws -> ConsoleSession {
    guard let ticket = ConsoleTicket(text),
      let grant = try await store.useConsoleTicket(hash: ticket.hash, at: clock.now),
      await isAllowed(grant)
    else { throw ticketInvalid }
    let server = try await activeServer(grant.serverID, of: grant.accountID)
    let number = try state.withLock { state in
      try requireRoom(for: grant.serverID, of: grant.accountID, in: state)
      state.nextNumber += 1
      state.open[state.nextNumber] = grant
      return state.nextNumber
    }
    let place = ConsoleSession.Place { [weak self] in
      _ = self?.state.withLock { $0.open.removeValue(forKey: number) }
    }
    return ConsoleSession(grant: grant, connection: try await connect(to: server), place: place)
  }

  /// Returns when the console has to end: its token was revoked, its server deleted or suspended, or the service ends.
  package func whenOver(_ session: ConsoleSession) async {
    await changes.listen(to: session.grant.serverID) { bell in
      while !Task.isCancelled, !changes.isOver, await isAllowed(session.grant) {
        await bell.wait(until: clock.uptime + Self.longestSilence, clock: clock)
      }
    }
  }

  package var openCount: Int { state.withLock { $0.open.count } }

  /// False also where the store cannot tell.
  private func isAllowed(_ grant: ConsoleGrant) async -> Bool {
    let token = try? await store.token(grant.tokenID, of: grant.accountID)
    guard let token, token.isValid(at: clock.now) else { return false }
    return (try? await store.isSuspended(grant.serverID, of: grant.accountID)) == false
  }

  private func activeServer(_ id: ID<Server>, of account: ID<Account>) async throws -> Server {
    guard let server = try await store.server(id, of: account) else { throw Failure.notFound }
    try server.status.requireActive(hasDisk: server.machine.hasDisk)
    return server
  }

  /// A server without a console is reported here, where the customer reads it, and not by a page that stays black. Only the
  /// service that has the host can tell whether there is one.
  private func requireConsole(of server: Server) async throws {
    if fleet[server.hostID] == nil, !fleet.isAway(server.hostID) { return }
    _ = try await connect(to: server)
  }

  private func connect(to server: Server) async throws -> ConsoleConnection {
    do {
      return try await fleet.driver(of: server).openConsole(of: server.uuid)
    } catch let error as DriverError where error.isWorthRetrying {
      throw Failure(
        .noCapacity, "The console cannot be reached at the moment.", privateDetail: error.detail, cause: error)
    } catch let error as DriverError {
      throw Failure(
        .wrongState, error.customerReason ?? "Server has no console.", privateDetail: error.detail, cause: error)
    }
  }

  private func requireRoom(for server: ID<Server>, of account: ID<Account>, in state: State) throws(Failure) {
    let open = state.open.values
    if Limits.isReached(limits.perServer, by: open.count { $0.serverID == server }) {
      throw Failure(.conflict, "Console limit of this server reached (\(limits.perServer)). Close one first.")
    }
    if Limits.isReached(limits.perAccount, by: open.count { $0.accountID == account }) {
      throw Failure(.conflict, "Console limit of your account reached (\(limits.perAccount)). Close one first.")
    }
    if Limits.isReached(limits.inAll, by: open.count) {
      throw Failure(.noCapacity, "Too many consoles are open at the moment.")
    }
  }

  private var ticketInvalid: Failure {
    Failure(
      .permissionDenied,
      "This console ticket is not valid. A ticket opens one console, within \(limits.ticketSeconds) seconds.")
  }
}

/// An open console. It counts against the limits until nothing refers to it any more.
package final class ConsoleSession: Sendable {
  final class Place: Sendable {
    private let leave: @Sendable () -> Void

    init(leave: @escaping @Sendable () -> Void) {
      self.leave = leave
    }

    deinit { leave() }
  }

  let grant: ConsoleGrant
  package let connection: ConsoleConnection
  private let place: Place

  init(grant: ConsoleGrant, connection: ConsoleConnection, place: Place) {
    self.grant = grant
    self.connection = connection
    self.place = place
  }

  package var serverID: ID<Server> { grant.serverID }
}
