import Core
import Testing

@Suite("Which host a new server is made on")
struct HostChoiceTests {
  private static let nano = Catalogue.initial.plans[2]  // 1 vCPU, 512 MiB, 5 GiB

  private func load(
    _ number: Int64, capacity: HostCapacity? = nil, memoryMiB: Int = 0, vcpus: Int = 0, isDraining: Bool = false,
    awaySince: Timestamp? = nil, isConfigured: Bool = true
  ) -> HostLoad {
    HostLoad(
      host: Host(
        id: ID(number), name: "host \(number)", location: nil, driver: "simulated", capacity: capacity,
        isConfigured: isConfigured, isDraining: isDraining, awaySince: awaySince),
      reserved: HostCapacity(vcpus: vcpus, memoryMiB: memoryMiB, storageGiB: 0), serverCount: 0)
  }

  private func choice(_ candidates: HostLoad...) -> Int64? {
    HostChoice.host(for: Self.nano, among: candidates)?.id.value
  }

  private let small = HostCapacity(vcpus: 4, memoryMiB: 2048, storageGiB: 100)
  private let large = HostCapacity(vcpus: 64, memoryMiB: 65_536, storageGiB: 10_000)

  @Test("The least loaded one by what is scarcest on each, and the first of equals")
  func leastLoaded() {
    #expect(choice(load(2, capacity: large), load(1, capacity: large)) == 1)
    #expect(choice(load(1, capacity: small), load(2, capacity: large)) == 2)
    #expect(choice(load(1, capacity: large, memoryMiB: 60_000), load(2, capacity: small)) == 2)
    // Much memory is free on the first, but hardly a processor.
    #expect(choice(load(1, capacity: large, vcpus: 60), load(2, capacity: small, vcpus: 1)) == 2)
  }

  @Test("Hosts without bounds are filled evenly")
  func boundless() {
    #expect(choice(load(1, memoryMiB: 512), load(2)) == 2)
    #expect(choice(load(1, memoryMiB: 512), load(2, memoryMiB: 512)) == 1)
  }

  @Test("None without room, however little it lacks")
  func room() {
    #expect(choice(load(1, capacity: small, memoryMiB: 1536)) == 1)
    #expect(choice(load(1, capacity: small, memoryMiB: 1537)) == nil)
    #expect(choice(load(1, capacity: small, vcpus: 4)) == nil)
    #expect(choice(load(1, capacity: HostCapacity(vcpus: 4, memoryMiB: 2048, storageGiB: 4))) == nil)
    #expect(choice() == nil)
  }

  @Test("None that drains, is away or is not configured any more")
  func states() {
    let away = Timestamp(millisecondsSinceEpoch: 1)
    #expect(choice(load(1, isDraining: true)) == nil)
    #expect(choice(load(1, awaySince: away)) == nil)
    #expect(choice(load(1, isConfigured: false)) == nil)
    #expect(choice(load(1, isDraining: true), load(2, awaySince: away), load(3, memoryMiB: 4096)) == 3)
  }
}
