import Core
import TestSupport
import Testing

@Suite struct AccountTests {
  @Test("An account has what it was opened with, and an email has one account")
  func create() async throws {
    try await withStore { fixture in
      let account = try await fixture.store.createAccount(
        email: "a@example.com", openingCredit: Money(microunits: 7), at: Fixture.now)
      #expect(account.balance == Money(microunits: 7))
      #expect(try await fixture.store.account(account.id) == account)
      #expect(try await fixture.store.account(ID(99)) == nil)
      let refused = await failure {
        _ = try await fixture.store.createAccount(email: "a@example.com", openingCredit: .zero, at: Fixture.now)
      }
      #expect(
        refused?.code == .invalidFields([FieldError(.email, ["An account with this email exists already."])]))
    }
  }

  @Test("An address in capitals is the same address")
  func emailInCapitals() async throws {
    try await withStore { fixture in
      _ = try await fixture.store.createAccount(email: "User@Example.com", openingCredit: .zero, at: Fixture.now)
      for email in ["user@example.com", "USER@EXAMPLE.COM", "User@Example.com"] {
        let refused = await failure {
          _ = try await fixture.store.createAccount(email: email, openingCredit: .zero, at: Fixture.now)
        }
        #expect(refused?.code == .invalidFields([FieldError(.email, ["An account with this email exists already."])]))
      }
      _ = try await fixture.store.createAccount(email: "user2@example.com", openingCredit: .zero, at: Fixture.now)
    }
  }

  @Test("Credit and a suspension are for the account that was meant, and none that is closed")
  func meant() async throws {
    try await withStore { fixture in
      let (store, email) = (fixture.store, "a@example.com")
      let first = try await store.createAccount(email: email, openingCredit: .zero, at: Fixture.now)
      _ = try await store.closeAccount(first.id, deletingServers: false, at: Fixture.now)
      let second = try await store.createAccount(email: email, openingCredit: .zero, at: Fixture.now)
      let credit = Money(microunits: 5)
      #expect(try await store.addCredit(credit, to: first.id, note: "", by: .host, at: Fixture.now) == nil)
      #expect(try await store.suspend(account: first.id, because: "", by: .host, at: Fixture.now) == false)
      #expect(try await store.account(first.id)?.balance == Money.zero)
      #expect(try await store.account(second.id) == second)
    }
  }

  @Test("A token is found by its hash, with its permissions and its end")
  func tokens() async throws {
    try await withStore { fixture in
      let permissions = [Permission(.servers, .read), Permission(.sshKeys, .any)]
      let hash = TokenHash(hexadecimal: "abc")
      let made = try await fixture.store.createToken(
        NewToken(
          accountID: fixture.caller.accountID, name: "ci", hash: hash, permissions: permissions,
          expiresAt: Fixture.now + .seconds(60)), at: Fixture.now)
      #expect(made.permissions == permissions)
      #expect(made.expiresAt == Fixture.now + .seconds(60))
      #expect(try await fixture.store.token(hash: hash) == made)
      #expect(try await fixture.store.token(hash: TokenHash(hexadecimal: "ab")) == nil)
    }
  }

  @Test("A revoked token stays revoked from its first revocation")
  func revoke() async throws {
    try await withStore { fixture in
      let id = fixture.caller.tokenID
      let isFound = try await fixture.store.revokeToken(id, at: Fixture.now)
      #expect(isFound)
      #expect(try await fixture.store.revokeToken(id, at: Fixture.now + .seconds(9)))
      #expect(try await fixture.store.tokens().first?.revokedAt == Fixture.now)
      #expect(try await fixture.store.revokeToken(ID(99), at: Fixture.now) == false)
    }
  }

  @Test("The last use of a token only moves forward")
  func tokenUse() async throws {
    try await withStore { fixture in
      let id = fixture.caller.tokenID
      try await fixture.store.recordTokenUse([id: Fixture.now, ID(99): Fixture.now])
      try await fixture.store.recordTokenUse([id: Fixture.now - .seconds(5)])
      #expect(try await fixture.store.tokens().first?.lastUsedAt == Fixture.now)
      try await fixture.store.recordTokenUse([id: Fixture.now + .seconds(5)])
      #expect(try await fixture.store.tokens().first?.lastUsedAt == Fixture.now + .seconds(5))
    }
  }

  @Test("An account has a key once, another account may have it too, and neither sees the other's")
  func keys() async throws {
    try await withStore { fixture in
      let store = fixture.store
      let stranger = try await fixture.stranger()
      let mine = try await store.createSSHKey(fixture.key("SHA256:a"), by: fixture.caller, at: Fixture.now)
      let theirs = try await store.createSSHKey(fixture.key("SHA256:a", of: stranger), by: stranger, at: Fixture.now)
      let refused = await failure {
        _ = try await store.createSSHKey(fixture.key("SHA256:a"), by: fixture.caller, at: Fixture.now)
      }
      #expect(
        refused?.code == .invalidFields([FieldError(.publicKey, ["This SSH key is registered already."])]))
      #expect(try await store.sshKeys(of: fixture.caller.accountID) == [mine])
      #expect(try await store.sshKey(theirs.id, of: fixture.caller.accountID) == nil)
      let named: [Reference<SSHKey>] = [
        .id(mine.id), .uuid(mine.uuid), .id(theirs.id), .uuid(theirs.uuid), .id(ID(99)),
      ]
      #expect(
        try await store.sshKeyIDs(named, of: fixture.caller.accountID) == [
          .id(mine.id): mine.id, .uuid(mine.uuid): mine.id,
        ])
      #expect(try await store.deleteSSHKey(theirs.id, by: fixture.caller, at: Fixture.now) == false)
      #expect(try await store.sshKey(theirs.id, of: stranger.accountID) == theirs)
    }
  }

  @Test("The id of a deleted key is never used again")
  func keyIDs() async throws {
    try await withStore { fixture in
      let store = fixture.store
      let first = try await store.createSSHKey(fixture.key("SHA256:a"), by: fixture.caller, at: Fixture.now)
      #expect(try await store.deleteSSHKey(first.id, by: fixture.caller, at: Fixture.now))
      #expect(try await store.deleteSSHKey(first.id, by: fixture.caller, at: Fixture.now) == false)
      let second = try await store.createSSHKey(fixture.key("SHA256:a"), by: fixture.caller, at: Fixture.now)
      #expect(second.id > first.id)
    }
  }
}
