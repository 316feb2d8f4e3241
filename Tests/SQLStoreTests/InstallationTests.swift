import Core
import SQLStore
import TestSupport
import Testing

@Suite struct InstallationTests {
  @Test("An empty store gets catalogue, account, credit and token once, and never again")
  func bootstrap() async throws {
    try await withStore { fixture in
      let again = NewInstallation(
        catalogue: .initial, email: "other@example.com", openingCredit: .zero, tokenName: "other",
        tokenHash: TokenHash(hexadecimal: "other"))
      #expect(try await fixture.store.bootstrap(again, at: Fixture.now) == false)
      #expect(try await fixture.store.isBootstrapped())
      #expect(try await fixture.store.catalogue() == .initial)
      #expect(try await fixture.store.accounts().map(\.email) == ["first@example.com"])
      #expect(try await fixture.store.accounts().map(\.balance) == [Fixture.openingCredit])
      let tokens = try await fixture.store.tokens()
      #expect(tokens.map(\.name) == ["initial"])
      #expect(tokens.first?.permissions == [.everything])
    }
  }

  @Test("A store that was never filled says so")
  func notBootstrapped() async throws {
    try await withEmptyStore { store, _ in
      let isBootstrapped = try await store.isBootstrapped()
      #expect(!isBootstrapped)
      #expect(try await store.accounts().isEmpty)
      #expect(try await store.nextOperationDue(on: Fixture.host) == nil)
    }
  }

  @Test("The installation keeps its id when the store is opened again")
  func installationID() async throws {
    try await withEmptyStore { store, database in
      let id = try await store.installationID()
      #expect(try await store.installationID() == id)
      #expect(try await database.open().installationID() == id)
    }
  }

  @Test("Everything is there when the store is opened again")
  func reopen() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      let key = try await fixture.store.createSSHKey(fixture.key("SHA256:a"), by: fixture.caller, at: Fixture.now)
      let reopened = try await fixture.reopened()
      #expect(try await reopened.server(server.id) == server)
      #expect(try await reopened.sshKeys(of: fixture.caller.accountID) == [key])
      #expect(try await reopened.operations(of: server.id) == fixture.store.operations(of: server.id))
      #expect(try await reopened.account(fixture.caller.accountID)?.balance == fixture.balance())
    }
  }

  @Test("A second process that has the database open writes between the writes of the first")
  func twoProcesses() async throws {
    try await withStore { fixture in
      let other = try await fixture.reopened()
      let stores = [fixture.store, other]
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<60 {
          group.addTask {
            _ = try await stores[number % 2].createSSHKey(
              fixture.key("SHA256:\(number)"), by: fixture.caller, at: Fixture.now)
          }
        }
        try await group.waitForAll()
      }
      #expect(try await other.sshKeys(of: fixture.caller.accountID).count == 60)
    }
  }
}
