import Core
import Testing

@testable import SQLStore

@Suite("What is for sale is what is sold")
struct OfferTests {
  private func change(_ body: (inout PlanChange) -> Void) -> PlanChange {
    var change = PlanChange()
    body(&change)
    return change
  }

  @Test(
    "Nothing is made by a catalogue that is a second old: a retired plan is not sold, and a machine is as large as its plan"
  )
  func staleCatalogue() async throws {
    try await withStore { fixture in
      let store = fixture.store
      let known = try await store.catalogue()
      let (nano, standard) = (try #require(known.plan(ID(3))), try #require(known.plan(ID(1))))
      let server = try await fixture.create()
      #expect(server.planID == nano.id)
      let larger = try await store.updatePlan(standard.id, change { $0.memoryMiB = 8192 }, at: Fixture.now)
      #expect(larger?.plan.memoryMiB == 8192 && larger?.repricedServerCount == 0)
      let before = try await fixture.balance()
      await #expect(throws: Failure.self) {
        _ = try await fixture.create(fixture.newServer(plan: 0))
      }
      await #expect(throws: Failure.self) {
        _ = try await store.requestResize(of: server.id, to: standard, by: fixture.caller, at: Fixture.now)
      }
      // At another price, at a location or with a system that is closed, or retired.
      let offers: [() async throws -> Void] = [
        { _ = try await store.updatePlan(nano.id, self.change { $0.pricePerHour = .zero }, at: Fixture.now) },
        { _ = try await store.updatePlan(nano.id, self.change { $0.locations = ["us-east"] }, at: Fixture.now) },
        { _ = try await store.updatePlan(nano.id, self.change { $0.isAvailable = false }, at: Fixture.now) },
        {
          var retired = OperatingSystemChange()
          retired.isAvailable = false
          _ = try await store.updateOperatingSystem(ID(3), retired, at: Fixture.now)
        },
        {
          var offered = OperatingSystemChange()
          offered.isAvailable = true
          _ = try await store.updateOperatingSystem(ID(3), offered, at: Fixture.now)
          var closed = LocationChange()
          closed.isActive = false
          _ = try await store.updateLocation(
            try #require(known.locations.first { $0.code == "us-west" }).id, closed, at: Fixture.now)
        },
      ]
      for offer in offers {
        try await offer()
        await #expect(throws: Failure.self) { _ = try await fixture.create() }
        // As it was.
        let back = self.change {
          $0.pricePerHour = nano.pricePerHour
          $0.locations = nano.locations
          $0.isAvailable = true
        }
        _ = try await store.updatePlan(nano.id, back, at: Fixture.now)
      }
      #expect(try await fixture.balance() == before)
      #expect(try await fixture.contradictions() == [])
    }
  }

  @Test("A plan keeps its size while a server has it, or is on its way to it")
  func size() async throws {
    try await withStore { fixture in
      let store = fixture.store
      let server = try await fixture.create()
      let standard = try #require(try await store.catalogue().plan(ID(1)))
      _ = try await store.requestResize(of: server.id, to: standard, by: fixture.caller, at: Fixture.now)
      for id in [ID<Plan>(3), ID(1)] {
        for change in [change { $0.vcpus = 16 }, change { $0.memoryMiB = 64 }, change { $0.storageGiB = 500 }] {
          await #expect(throws: Failure.self) { _ = try await store.updatePlan(id, change, at: Fixture.now) }
        }
        // Servers have used some of it; and what is said for all of them changes.
        await #expect(throws: Failure.self) {
          _ = try await store.updatePlan(id, change { $0.bandwidthGB = 1 }, at: Fixture.now)
        }
        // What is not its size changes, and so does what stays as it is.
        let same = change {
          $0.bandwidthGB = 1
          $0.appliesToExisting = true
          $0.vcpus = id == ID(3) ? 1 : 2
        }
        #expect(try await store.updatePlan(id, same, at: Fixture.now)?.plan.bandwidthGB == 1)
      }
      #expect(try await store.updatePlan(ID(2), change { $0.vcpus = 16 }, at: Fixture.now)?.plan.vcpus == 16)
      #expect(try await store.updatePlan(ID(9), change { $0.vcpus = 16 }, at: Fixture.now) == nil)
      #expect(try await fixture.contradictions() == [])
    }
  }

  @Test("No two have the same slug or code, and a plan is offered where there is a location")
  func names() async throws {
    try await withStore { fixture in
      let store = fixture.store
      let before = try await store.catalogue()
      func plan(_ slug: String, _ locations: [String]) -> NewPlan {
        NewPlan(
          name: "New", slug: slug, description: "", vcpus: 1, memoryMiB: 512, storageGiB: 5, bandwidthGB: 0,
          pricePerHour: .zero, locations: locations)
      }
      await #expect(throws: Failure.self) { _ = try await store.addPlan(plan("nano", []), at: Fixture.now) }
      await #expect(throws: Failure.self) { _ = try await store.addPlan(plan("new", ["mars"]), at: Fixture.now) }
      await #expect(throws: Failure.self) {
        _ = try await store.updatePlan(ID(1), change { $0.slug = "nano" }, at: Fixture.now)
      }
      await #expect(throws: Failure.self) {
        _ = try await store.addLocation(
          NewLocation(code: "us-east", name: "a", countryCode: "US", countryName: "b"), at: Fixture.now)
      }
      #expect(try await store.catalogue() == before)
      let added = try await store.addPlan(plan("new", ["us-east", "us-west"]), at: Fixture.now)
      #expect(added.id.value > 3 && added.locations == ["us-east", "us-west"] && added.isAvailable)
    }
  }

  @Test("Nothing more is made in an account that is closed, by a token that was valid a moment ago")
  func closedAccount() async throws {
    try await withStore { fixture in
      let store = fixture.store
      let stranger = try await fixture.stranger()
      _ = try await store.createSSHKey(fixture.key("k", of: stranger), by: stranger, at: Fixture.now)
      let closed = try await store.closeAccount(stranger.accountID, deletingServers: false, at: Fixture.now)
      #expect(closed?.closedAt == Fixture.now && closed?.email == "closed-2")
      #expect(try await store.closeAccount(stranger.accountID, deletingServers: false, at: Fixture.now) == nil)
      await #expect(throws: Failure.self) {
        _ = try await fixture.create(by: stranger)
      }
      await #expect(throws: Failure.self) {
        _ = try await store.createSSHKey(fixture.key("other", of: stranger), by: stranger, at: Fixture.now)
      }
      await #expect(throws: Failure.self) {
        let token = NewToken(
          accountID: stranger.accountID, name: "t", hash: TokenHash(hexadecimal: "h"), permissions: [], expiresAt: nil)
        _ = try await store.createToken(token, at: Fixture.now)
      }
      let change = ProfileChange(firstName: "A")
      #expect(try await store.updateProfile(of: stranger.accountID, change, at: Fixture.now) == false)
      let summary = try await store.summary(of: stranger.accountID)
      #expect(summary?.serverCount == 0 && summary?.tokenCount == 0 && summary?.sshKeyCount == 0)
      #expect(summary?.account.balance == Fixture.openingCredit)
      // The address is free for somebody else.
      _ = try await store.createAccount(email: "second@example.com", openingCredit: .zero, at: Fixture.now)
      #expect(try await fixture.contradictions() == [])
    }
  }
}
