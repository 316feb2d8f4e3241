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
    let invitation = try await service.consoles.invite(to: id, service.owner)
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
      try await service.consoles.invite(to: id, service.owner), try await service.consoles.invite(to: id, service.owner)
    )
    service.clock.advance(by: .milliseconds(59_999))
    _ = try await service.consoles.open(with: first.ticket.text)
    service.clock.advance(by: .milliseconds(1))
    await refuses(.permissionDenied) { try await service.consoles.open(with: second.ticket.text) }
  }

  @Test("A text that is no ticket opens nothing", arguments: ["", "x", String(repeating: "A", count: 43), "\u{0}"])
  func guesses(text: String) async throws {
    let service = try await TestService()
    _ = try await service.consoles.invite(to: try await service.activeServer(), service.owner)
    await refuses(.permissionDenied) { try await service.consoles.open(with: text) }
  }

  @Test("Another account's server has no console, and a token that may only read opens none")
  func others() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let (stranger, _) = try await service.newCaller()
    await refuses(.notFound) { try await service.consoles.invite(to: id, stranger) }
    let (reader, _) = try await service.newToken(
      of: service.owner.accountID, permissions: [Permission("servers:read")!])
    await refuses(.permissionDenied) { try await service.consoles.invite(to: id, reader) }
  }

  @Test("Only an active server has a console, when it is asked for and when the ticket is used")
  func states() async throws {
    let service = try await TestService()
    let created = try await service.servers.create(service.draft(), service.owner).view.server.id
    await refuses(.wrongState, "Server is provisioning.") {
      try await service.consoles.invite(to: created, service.owner)
    }
    try await service.settle()
    let invitation = try await service.consoles.invite(to: created, service.owner)
    _ = try await service.servers.perform(.stop, on: created, service.owner)
    await refuses(.wrongState, "Server is stopping.") {
      try await service.consoles.open(with: invitation.ticket.text)
    }
    try await service.settle()
    await refuses(.wrongState, "Server is not running.") {
      try await service.consoles.invite(to: created, service.owner)
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
    let asked = try await service.consoles.invite(to: id, caller)
    _ = try await service.store.revokeToken(caller.tokenID, at: service.clock.now)
    await refuses(.permissionDenied) { try await service.consoles.open(with: asked.ticket.text) }
    let other = try await service.consoles.invite(to: id, service.owner)
    try await service.servers.delete(id, service.owner)
    await refuses(.permissionDenied) { try await service.consoles.open(with: other.ticket.text) }
  }

  @Test("So many consoles of a server are open at once, and one that ends makes room")
  func limits() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    var invitations: [Consoles.Invitation] = []
    for _ in 0..<5 { invitations.append(try await service.consoles.invite(to: id, service.owner)) }
    var sessions: [ConsoleSession] = []
    for invitation in invitations.prefix(4) {
      sessions.append(try await service.consoles.open(with: invitation.ticket.text))
    }
    await refuses(.conflict) { try await service.consoles.open(with: invitations[4].ticket.text) }
    await refuses(.conflict) { try await service.consoles.invite(to: id, service.owner) }
    sessions.removeLast()
    #expect(service.consoles.openCount == 3)
    _ = try await service.consoles.invite(to: id, service.owner)
  }

  @Test("Of many tickets of a server only the last eight are good")
  func manyTickets() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let first = try await service.consoles.invite(to: id, service.owner)
    for _ in 0..<8 {
      service.clock.advance(by: .milliseconds(1))
      _ = try await service.consoles.invite(to: id, service.owner)
    }
    await refuses(.permissionDenied) { try await service.consoles.open(with: first.ticket.text) }
  }

  @Test("A host that does not answer is told at once, nothing is written down, and no place stays taken")
  func unreachable() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    service.driver.inject(Fault(in: .openConsole, .fail(DriverError(.unreachable, "It hangs."))))
    await refuses(.noCapacity) { try await service.consoles.invite(to: id, service.owner) }
    #expect(try await service.database.auditTrail(newest: 10, of: id).filter { $0.action == "server.console" }.isEmpty)
    let invitation = try await service.consoles.invite(to: id, service.owner)
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
    let session = try await service.consoles.open(with: try await service.consoles.invite(to: id, caller).ticket.text)
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
