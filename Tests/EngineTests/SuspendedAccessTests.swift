import Core
import TestSupport
import Testing

@testable import Engine

@Suite("What a customer had asked for, or had open, ends with the suspension")
struct SuspendedAccessTests {
  @Test("What was asked for before its account was suspended, and came later, changes nothing")
  func lateRequests() async throws {
    let service = try await TestService(options: BillingTests.instant)
    await service.billing.pollOnce()
    let (caller, _) = try await service.newCaller()
    let id = try await service.activeServer(of: caller)
    let email = try #require(try await service.store.account(caller.accountID)).email
    _ = try await service.store.suspend(accountOf: email, because: "Abuse.", at: service.clock.now)
    let refusals = [
      await failure { _ = try await service.servers.create(service.draft(), caller) },
      await failure { try await service.servers.delete(id, caller) },
      await failure { _ = try await service.servers.update(id, ServerChange(name: ServerName("x")), caller) },
    ]
    for refused in refusals {
      #expect(refused?.code == .permissionDenied && refused?.message == "Your account is suspended: Abuse.")
    }
    #expect(try await service.store.allServers().count == 1)
    try await service.expectLedgerProved()
  }

  @Test("An open console is over when its server is suspended, and its tickets open nothing", arguments: [true, false])
  func consoles(ofAccount: Bool) async throws {
    let service = try await TestService(options: BillingTests.instant)
    let (caller, _) = try await service.newCaller()
    let id = try await service.activeServer(of: caller)
    let email = try #require(try await service.store.account(caller.accountID)).email
    let first = try await service.consoles.issueTicket(for: id, caller).ticket
    let session = try await service.consoles.open(with: first.text)
    let ticket = try await service.consoles.issueTicket(for: id, caller).ticket
    // It runs still: nobody has taken it down.
    if ofAccount {
      _ = try await service.store.suspend(accountOf: email, because: "", at: service.clock.now)
    } else {
      _ = try await service.store.suspend(server: id, because: "", at: service.clock.now)
    }
    await service.consoles.whenOver(session)
    await #expect(throws: Failure.self) { _ = try await service.consoles.open(with: ticket.text) }
    #expect(try await service.status(of: id) == .active)
  }
}
