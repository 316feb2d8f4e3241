import Core
import TestSupport
import Testing

@Suite struct ServerCreationTests {
  @Test("A create writes the server, its address, its hold and its operation")
  func create() async throws {
    try await withStore { fixture in
      let new = fixture.newServer(rootPasswordHash: "$y$hash")
      let server = try await fixture.create(new)
      #expect(server.uuid == new.uuid)
      #expect(server.accountID == fixture.caller.accountID)
      #expect(server.name == new.name)
      #expect(server.hostname == new.hostname)
      #expect(server.status == .provisioning)
      #expect(server.planID == ID(3))
      #expect(server.operatingSystemID == ID(3))
      #expect(server.location == "us-west")
      #expect(server.address == IPv4Address("127.80.0.1"))
      #expect(server.createdAt == Fixture.now && server.updatedAt == Fixture.now)
      #expect(
        server.machine
          == Server.Machine(
            imageVersion: nil, authorizedKey: nil, rootPasswordHash: "$y$hash", hasDisk: false, wasEverReady: false,
            awaitsFirstBoot: true, awaitsNewDisk: false, hardwareAddress: server.machine.hardwareAddress))
      #expect(server.machine.hardwareAddress != nil)
      #expect(try await fixture.balance() == Money(microunits: 99_995_000))
      let operations = try await fixture.store.operations(of: server.id)
      #expect(operations.map(\.kind) == [.create])
      #expect(operations.map(\.state) == [.queued])
      #expect(operations.first?.requestedBy == fixture.caller.tokenID)
      #expect(try await fixture.store.server(server.id, of: fixture.caller.accountID) == server)
    }
  }

  @Test("A server keeps the text of its key, and the key remembers when it was installed")
  func key() async throws {
    try await withStore { fixture in
      let key = try await fixture.store.createSSHKey(fixture.key("SHA256:a"), by: fixture.caller, at: Fixture.now)
      let later = Fixture.now + .seconds(9)
      let server = try await fixture.create(fixture.newServer(key: key.id), at: later)
      #expect(server.machine.authorizedKey == key.publicKey)
      #expect(try await fixture.store.sshKey(key.id, of: fixture.caller.accountID)?.lastUsedAt == later)
      #expect(try await fixture.store.deleteSSHKey(key.id, by: fixture.caller, at: later))
      #expect(try await fixture.reread(server).machine.authorizedKey == key.publicKey)
    }
  }

  @Test("A create with another account's key is refused as one with no such key, and leaves nothing")
  func strangersKey() async throws {
    try await withStore { fixture in
      let stranger = try await fixture.stranger()
      let key = try await fixture.store.createSSHKey(
        fixture.key("SHA256:a", of: stranger), by: stranger, at: Fixture.now)
      let refused = await failure { _ = try await fixture.create(fixture.newServer(key: key.id)) }
      #expect(
        refused?.code
          == .invalidFields([FieldError(.sshKeys, ["Invalid pk \"\(key.id)\" - object does not exist."])]))
      try await expectNothing(in: fixture, balance: Fixture.openingCredit)
    }
  }

  @Test("A create beyond the balance leaves nothing")
  func insufficientCredit() async throws {
    try await withStore(openingCredit: Money(microunits: 4_999)) { fixture in
      let refused = await failure { _ = try await fixture.create() }
      #expect(refused?.code == .insufficientCredit)
      #expect(
        refused?.message
          == "Insufficient credits. This plan costs 0.005 per hour and your balance is 0.004999.")
      try await expectNothing(in: fixture, balance: Money(microunits: 4_999))
    }
  }

  @Test("The whole balance may be spent")
  func exactCredit() async throws {
    try await withStore(openingCredit: Money(microunits: 5_000)) { fixture in
      _ = try await fixture.create()
      #expect(try await fixture.balance() == .zero)
      let refused = await failure { _ = try await fixture.create() }
      #expect(
        refused?.message == "Insufficient credits. This plan costs 0.005 per hour and your balance is 0.00.")
    }
  }

  @Test(
    "A create beyond the host's capacity leaves nothing",
    arguments: [
      HostCapacity(vcpus: 0, memoryMiB: 1 << 20, storageGiB: 1 << 20),
      HostCapacity(vcpus: 99, memoryMiB: 511, storageGiB: 1 << 20),
      HostCapacity(vcpus: 99, memoryMiB: 1 << 20, storageGiB: 4),
    ])
  func noCapacity(capacity: HostCapacity) async throws {
    try await withStore { fixture in
      let refused = await failure { _ = try await fixture.create(capacity: capacity) }
      #expect(refused?.code == .noCapacity)
      #expect(refused?.message == "No capacity at us-west for this plan.")
      try await expectNothing(in: fixture, balance: Fixture.openingCredit)
    }
  }

  @Test("A deleted server takes its share of the host until it is erased")
  func capacityComesBack() async throws {
    try await withStore { fixture in
      let one = HostCapacity(vcpus: 1, memoryMiB: 512, storageGiB: 5)
      let server = try await fixture.create(capacity: one)
      _ = try await fixture.store.requestDeletion(of: server.id, by: fixture.caller, at: Fixture.now)
      #expect(await failure { _ = try await fixture.create(capacity: one) }?.code == .noCapacity)
      try await fixture.finish(.delete, effect: .erased)
      _ = try await fixture.create(capacity: one)
    }
  }

  @Test("Of a hundred creates at once exactly those that the credit pays for succeed, each with its own address")
  func concurrentCreates() async throws {
    try await withStore(openingCredit: Money(microunits: 37 * 5_000 + 4_999)) { fixture in
      let servers = try await withThrowingTaskGroup(of: Server?.self) { group in
        for number in 0..<100 {
          group.addTask {
            do {
              return try await fixture.create(fixture.newServer("web-\(number)"))
            } catch let failure as Failure where failure.code == .insufficientCredit {
              return nil
            }
          }
        }
        return try await group.reduce(into: []) { servers, server in servers.append(server) }.compactMap(\.self)
      }
      #expect(servers.count == 37)
      #expect(Set(servers.map(\.address)).count == 37)
      #expect(try await fixture.balance() == Money(microunits: 4_999))
      #expect(try await fixture.store.servers(of: fixture.caller.accountID, filter: ServerFilter()).count == 37)
    }
  }

  private func expectNothing(in fixture: Fixture, balance: Money) async throws {
    #expect(try await fixture.store.allServers().isEmpty)
    #expect(try await fixture.store.nextOperationDue(on: Fixture.host) == nil)
    #expect(try await fixture.balance() == balance)
    let server = try await fixture.create(by: fixture.stranger("third"))
    #expect(server.address == fixture.pool.first)
  }
}
