import Core
import Engine
import SQLStore
import SimulatedDriver
import TestSupport
import Testing

@Suite("The console of a server")
struct ConsoleTests {
  @Test("A ticket opens one console, once")
  func once() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let invitation = try await service.consoles.issueTicket(for: id, service.owner)
    #expect(invitation.expiresAt == service.clock.now + .seconds(60))
    let session = try await service.consoles.open(with: invitation.ticket.text)
    #expect(session.serverID == id)
    #expect(try await RFBClient(session.connection).shakeHands().name == "Simulated server-\(id)")
    await refuses(.permissionDenied) { try await service.consoles.open(with: invitation.ticket.text) }
  }

  @Test("A ticket is good for 60 seconds")
  func expiry() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let (first, second) = (
      try await service.consoles.issueTicket(for: id, service.owner),
      try await service.consoles.issueTicket(for: id, service.owner)
    )
    service.clock.advance(by: .milliseconds(59_999))
    _ = try await service.consoles.open(with: first.ticket.text)
    service.clock.advance(by: .milliseconds(1))
    await refuses(.permissionDenied) { try await service.consoles.open(with: second.ticket.text) }
  }

  @Test("A text that is no ticket opens nothing", arguments: ["", "x", String(repeating: "A", count: 43), "\u{0}"])
  func guesses(text: String) async throws {
    let service = try await TestService()
    _ = try await service.consoles.issueTicket(for: try await service.activeServer(), service.owner)
    await refuses(.permissionDenied) { try await service.consoles.open(with: text) }
  }

  @Test("Another account's server has no console, and a token that may only read opens none")
  func others() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let (stranger, _) = try await service.newCaller()
    await refuses(.notFound) { try await service.consoles.issueTicket(for: id, stranger) }
    let (reader, _) = try await service.newToken(
      of: service.owner.accountID, permissions: [Permission("servers:read")!])
    await refuses(.permissionDenied) { try await service.consoles.issueTicket(for: id, reader) }
  }

  @Test("Only an active server has a console, when it is asked for and when the ticket is used")
  func states() async throws {
    let service = try await TestService()
    let created = try await service.servers.create(service.draft(), service.owner).view.server.id
    await refuses(.wrongState, "Server is provisioning.") {
      try await service.consoles.issueTicket(for: created, service.owner)
    }
    try await service.settle()
    let invitation = try await service.consoles.issueTicket(for: created, service.owner)
    _ = try await service.servers.perform(.stop, on: created, service.owner)
    await refuses(.wrongState, "Server is stopping.") {
      try await service.consoles.open(with: invitation.ticket.text)
    }
    try await service.settle()
    await refuses(.wrongState, "Server is not running.") {
      try await service.consoles.issueTicket(for: created, service.owner)
    }
    // What was used in vain is used up.
    _ = try await service.servers.perform(.start, on: created, service.owner)
    try await service.settle()
    await refuses(.permissionDenied) { try await service.consoles.open(with: invitation.ticket.text) }
  }

  @Test("A ticket ends with the token that asked for it, and with its server")
  func revocation() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let (caller, _) = try await service.newToken(of: service.owner.accountID, permissions: [.everything])
    let asked = try await service.consoles.issueTicket(for: id, caller)
    _ = try await service.store.revokeToken(caller.tokenID, at: service.clock.now)
    await refuses(.permissionDenied) { try await service.consoles.open(with: asked.ticket.text) }
    let other = try await service.consoles.issueTicket(for: id, service.owner)
    try await service.servers.delete(id, service.owner)
    await refuses(.permissionDenied) { try await service.consoles.open(with: other.ticket.text) }
  }

  @Test("So many consoles of a server are open at once, and one that ends makes room")
  func limits() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    var invitations: [Consoles.IssuedTicket] = []
    for _ in 0..<5 { invitations.append(try await service.consoles.issueTicket(for: id, service.owner)) }
    var sessions: [ConsoleSession] = []
    for invitation in invitations.prefix(4) {
      sessions.append(try await service.consoles.open(with: invitation.ticket.text))
    }
    await refuses(.conflict) { try await service.consoles.open(with: invitations[4].ticket.text) }
    await refuses(.conflict) { try await service.consoles.issueTicket(for: id, service.owner) }
    sessions.removeLast()
    #expect(service.consoles.openCount == 3)
    _ = try await service.consoles.issueTicket(for: id, service.owner)
  }

  @Test("A server, an account and all of them have as many consoles as the operator says", arguments: 0..<3)
  func configuredLimits(_ which: Int) async throws {
    var limits = Consoles.Limits()
    (limits.perServer, limits.perAccount, limits.inAll) = [(2, 9, 9), (9, 2, 9), (9, 9, 2)][which]
    let (service, consoles) = try await Self.service(limits)
    let (stranger, _) = try await service.newCaller()
    let (one, other) = (try await service.activeServer(), try await service.activeServer())
    let strange = try await service.activeServer(of: stranger)
    func open(_ id: ID<Server>, _ caller: Caller) async throws -> ConsoleSession {
      try await consoles.open(with: try await consoles.issueTicket(for: id, caller).ticket.text)
    }
    let sessions = [try await open(one, service.owner), try await open(one, service.owner)]
    let refusals: [(Failure.Code, String)] = [
      (.conflict, "Console limit of this server reached (2). Close one first."),
      (.conflict, "Console limit of your account reached (2). Close one first."),
      (.noCapacity, "Too many consoles are open at the moment."),
    ]
    let (code, message) = refusals[which]
    await refuses(code, message) { try await open(one, service.owner) }
    if which > 0 { await refuses(code, message) { try await open(other, service.owner) } }
    if which > 1 { await refuses(code, message) { try await open(strange, stranger) } }
    if which < 1 { _ = try await open(other, service.owner) }
    if which < 2 { _ = try await open(strange, stranger) }
    withExtendedLifetime(sessions) {}
  }

  @Test("Limits of consoles can be raised, and 0 is none: the tickets for so many are all good", arguments: [20, 0])
  func wideLimits(_ limit: Int) async throws {
    var limits = Consoles.Limits()
    (limits.perServer, limits.perAccount, limits.inAll) = (limit, limit, limit)
    let (service, consoles) = try await Self.service(limits)
    let id = try await service.activeServer()
    var invitations: [Consoles.IssuedTicket] = []
    for _ in 0..<20 { invitations.append(try await consoles.issueTicket(for: id, service.owner)) }
    var sessions: [ConsoleSession] = []
    for invitation in invitations { sessions.append(try await consoles.open(with: invitation.ticket.text)) }
    #expect(consoles.openCount == 20)
  }

  @Test("A ticket is good for as long as the operator says", arguments: [5, 3600])
  func configuredExpiry(_ seconds: Int) async throws {
    var limits = Consoles.Limits()
    limits.ticketSeconds = seconds
    let (service, consoles) = try await Self.service(limits)
    let id = try await service.activeServer()
    let (first, second) = (
      try await consoles.issueTicket(for: id, service.owner), try await consoles.issueTicket(for: id, service.owner)
    )
    #expect(first.expiresAt == service.clock.now + .seconds(seconds))
    service.clock.advance(by: .milliseconds(seconds * 1000 - 1))
    _ = try await consoles.open(with: first.ticket.text)
    service.clock.advance(by: .milliseconds(1))
    await refuses(
      .permissionDenied, "This console ticket is not valid. A ticket opens one console, within \(seconds) seconds."
    ) {
      try await consoles.open(with: second.ticket.text)
    }
  }

  /// A service, and its consoles with other limits than those that hold by default.
  private static func service(_ limits: Consoles.Limits) async throws -> (TestService, Consoles) {
    let service = try await TestService()
    return (
      service,
      Consoles(
        store: service.store, fleet: service.fleet, changes: service.changes, clock: service.clock, limits: limits)
    )
  }

  @Test("Of many tickets of a server only the last eight are good")
  func manyTickets() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let first = try await service.consoles.issueTicket(for: id, service.owner)
    for _ in 0..<8 {
      service.clock.advance(by: .milliseconds(1))
      _ = try await service.consoles.issueTicket(for: id, service.owner)
    }
    await refuses(.permissionDenied) { try await service.consoles.open(with: first.ticket.text) }
  }

  @Test("A host that does not answer is told at once, nothing is written down, and no place stays taken")
  func unreachable() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    service.driver.inject(Fault(in: .openConsole, .fail(DriverError(.unreachable, "It hangs."))))
    await refuses(.noCapacity) { try await service.consoles.issueTicket(for: id, service.owner) }
    #expect(try await service.database.auditTrail(newest: 10, of: id).filter { $0.action == "server.console" }.isEmpty)
    let invitation = try await service.consoles.issueTicket(for: id, service.owner)
    service.driver.inject(Fault(in: .openConsole, .fail(DriverError(.unreachable, "It hangs."))))
    await refuses(.noCapacity) { try await service.consoles.open(with: invitation.ticket.text) }
    #expect(service.consoles.openCount == 0)
    #expect(
      try await service.database.auditTrail(newest: 10, of: id).filter { $0.action == "server.console" }.count == 1)
  }

  @Test("An open console is over when its token is revoked, its server deleted, or the service ends", arguments: 0..<3)
  func over(_ reason: Int) async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let (caller, _) = try await service.newToken(of: service.owner.accountID, permissions: [.everything])
    let session = try await service.consoles.open(
      with: try await service.consoles.issueTicket(for: id, caller).ticket.text)
    async let end: Void = service.consoles.whenOver(session)
    await service.clock.whenSleeping()
    switch reason {
    case 0:
      _ = try await service.store.revokeToken(caller.tokenID, at: service.clock.now)
      service.clock.advance(by: .seconds(5))
    case 1: try await service.servers.delete(id, service.owner)
    default: service.changes.end()
    }
    await end
  }

  private func refuses<Value>(
    _ code: Failure.Code, _ message: String? = nil, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Value
  ) async {
    do {
      _ = try await body()
      Issue.record("It was let in.", sourceLocation: sourceLocation)
    } catch let failure as Failure {
      #expect(failure.code == code, sourceLocation: sourceLocation)
      if let message { #expect(failure.message == message, sourceLocation: sourceLocation) }
    } catch {
      Issue.record(error, sourceLocation: sourceLocation)
    }
  }
}
