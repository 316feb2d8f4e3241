import CLibvirt
import Core
import Foundation
import TestSupport
import Testing

@testable import LibvirtDriver

/// Guests of 512 bytes, which do one thing and nothing else from the moment they are started.
/// They compare what two guests get, which a host that does anything else at the same time decides too.
@Suite(
  "A guest that burns takes from its neighbour no more than its plan lets it", .serialized,
  .enabled(if: ProcessInfo.processInfo.environment["VPSD_LONG_TESTS"] != nil))
struct NeighbourTests {
  private enum Guest: String {
    /// Goes in a circle.
    case processor
    /// Reads four kibibytes of its disk again and again.
    case disk

    private static let intoCircle: [UInt8] = [0xFA, 0xEB, 0xFE]
    private static let readAgain: [UInt8] = [
      // No segment but the first, and a stack below the code.
      0xFA, 0x31, 0xC0, 0x8E, 0xD8, 0x8E, 0xD0, 0xBC, 0x00, 0x7C, 0xFB,
      // What to read, by which function, of the first disk; and again.
      0xBE, 0x18, 0x7C, 0xB4, 0x42, 0xB2, 0x80, 0xCD, 0x13, 0xEB, 0xF5,
      0x90, 0x90,
      // Eight sectors from the first on, to 0x8000.
      0x10, 0x00, 0x08, 0x00, 0x00, 0x80, 0x00, 0x00, 0, 0, 0, 0, 0, 0, 0, 0,
    ]

    var bootSector: [UInt8] {
      let code = self == .processor ? Self.intoCircle : Self.readAgain
      return code + [UInt8](repeating: 0, count: 510 - code.count) + [0x55, 0xAA]
    }
  }

  private func make(_ guest: Guest, in folder: String) async throws {
    let version = "\(folder)/\(guest.rawValue)/1"
    try FileManager.default.createDirectory(atPath: version, withIntermediateDirectories: true)
    let raw = "\(version)/disk.raw"
    try Data(guest.bootSector + [UInt8](repeating: 7, count: 64 << 10)).write(to: URL(fileURLWithPath: raw))
    _ = try await Program("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, "\(version)/disk.qcow2"]).output()
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder)/\(guest.rawValue)/current", withDestinationPath: "1")
  }

  private func start(_ guest: Guest, _ limits: ResourceLimits, on host: PrivateHost) async throws -> UUID {
    let machine = UUID()
    try await host.driver.ensureDefined(
      MachineSpecification(
        machine: machine, label: "\(guest.rawValue)-\(machine.text.prefix(4))",
        hostname: try #require(Hostname("burner")), vcpus: 1, memoryMiB: 64, storageGiB: 1, imageName: guest.rawValue,
        imageVersion: try await host.driver.readyImage(guest.rawValue, storageGiB: 1), limits: limits,
        interface: NetworkInterface(address: PrivateHost.unusedAddress()), authorizedKey: host.publicKey,
        rootPasswordHash: nil, mayCreateDisk: true))
    try await host.driver.start(machine)
    return machine
  }

  private func reads(_ machine: UUID, on host: PrivateHost) async throws -> Int64 {
    try await host.driver.onDomain(machine, "count reads") { domain in
      var statistics = virDomainBlockStatsStruct()
      try domain.check(
        virDomainBlockStats(domain.pointer, "vda", &statistics, MemoryLayout<virDomainBlockStatsStruct>.size), "count")
      return statistics.rd_req
    }
  }

  /// How many reads each does in a second, at the same time.
  private func rates(_ machines: [UUID], on host: PrivateHost) async throws -> [Double] {
    func counts() async throws -> [Int64] {
      var counts: [Int64] = []
      for machine in machines { counts.append(try await reads(machine, on: host)) }
      return counts
    }
    let (before, began) = (try await counts(), ContinuousClock.now)
    try await Task.sleep(for: .seconds(4))
    let (after, seconds) = (try await counts(), (ContinuousClock.now - began) / .seconds(1))
    return zip(before, after).map { Double($1 - $0) / seconds }
  }

  private func awaitReading(_ machines: [UUID], on host: PrivateHost) async throws {
    for machine in machines {
      try await eventually("it reads its disk", within: .seconds(120)) { try await reads(machine, on: host) > 100 }
    }
  }

  @Test("Of its disk: as its plan says at its start, and at once when that is changed")
  func disk() async throws {
    let folder = try ScopedFolder()
    try await make(.disk, in: folder.url.path)
    try await PrivateHost.with(images: folder.url.path) { host in
      let limited = ResourceLimits(cpuWeight: 100, diskIOPS: 40)
      let burner = try await start(.disk, limited, on: host)
      let neighbour = try await start(.disk, .standard(vcpus: 1), on: host)
      let machines = [burner, neighbour]
      try await awaitReading(machines, on: host)
      var rate = try await rates(machines, on: host)
      #expect((20...60).contains(rate[0]) && rate[1] > 200, "\(rate)")

      // A quarter of a mebibyte would be 64 reads.
      let other = ResourceLimits(cpuWeight: 100, diskMiBPerSecond: 1)
      try await host.driver.applyLimits(other, to: burner)
      rate = try await rates(machines, on: host)
      #expect((128...384).contains(rate[0]) && rate[1] > rate[0], "\(rate)")

      try await host.driver.applyLimits(.standard(vcpus: 1), to: burner)
      try await host.driver.applyLimits(limited, to: neighbour)
      rate = try await rates(machines, on: host)
      #expect(rate[0] > 400 && (20...60).contains(rate[1]), "\(rate)")
    }
  }

  private static let sharesProcessors =
    PrivateHost.daemon == .host
    || ControlGroups(of: UUID()).map { groups in
      let machine = UUID()
      defer { groups.removeUnused() }
      // Into a group of ours and back is a try that leaves nothing.
      guard let sleeper = try? Process.run(URL(fileURLWithPath: "/bin/sleep"), arguments: ["60"]) else { return false }
      defer {
        sleeper.terminate()
        sleeper.waitUntilExit()
        groups.remove(machine)
      }
      return (try? groups.hold(sleeper.processIdentifier, of: machine, to: 100)) != nil
    } ?? false

  @Test(
    "Of the processors, where two want the same one: by their weights, at the start and at once when those change",
    .enabled(if: sharesProcessors, "this host shares no processors by weight"))
  func processor() async throws {
    let folder = try ScopedFolder()
    try await make(.processor, in: folder.url.path)
    try await PrivateHost.with(images: folder.url.path) { host in
      let small = try await start(.processor, ResourceLimits(cpuWeight: 100), on: host)
      let large = try await start(.processor, ResourceLimits(cpuWeight: 400), on: host)
      let machines = [small, large]
      for machine in machines {
        let emulator = try #require(PrivateHost.emulator(of: machine))
        _ = try await Program("taskset", ["--all-tasks", "--cpu-list", "--pid", "0", "\(emulator)"]).output()
      }
      var ratio = try await processorRatio(machines, on: host)
      #expect(ratio > 2.5, "\(ratio)")
      try await host.driver.applyLimits(ResourceLimits(cpuWeight: 1600), to: small)
      ratio = try await processorRatio(machines, on: host)
      #expect(ratio < 0.5, "\(ratio)")
    }
  }

  /// How often as much of it the second has as the first.
  private func processorRatio(_ machines: [UUID], on host: PrivateHost) async throws -> Double {
    func used() async throws -> [Int64] {
      let usage = try await host.driver.observe().usage
      return machines.map { usage[$0]?.cpuNanoseconds ?? 0 }
    }
    let before = try await used()
    try await Task.sleep(for: .seconds(6))
    let after = try await used()
    return Double(after[1] - before[1]) / Double(max(1, after[0] - before[0]))
  }
}
