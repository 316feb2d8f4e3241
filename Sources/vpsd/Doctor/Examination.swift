import Core
import Engine
import Foundation
import HostNetwork
import HostPrograms
import IncusDriver
import LibvirtDriver
import SQLStore

/// Examines the host and the installation, without changing anything.
struct Examination: Sendable {
  struct Patient: Sendable {
    var facts: HostFacts
    var orphanage: Orphanage?
  }

  let configuration: Configuration

  private var directory: DataDirectory { DataDirectory(configuration.dataDirectory) }

  func run() async -> Patient {
    var facts = HostFacts(configuration: configuration)
    facts.isRoot = geteuid() == 0
    facts.isServed = ProcessLock.isServed(path: directory.lock)
    facts.lookAtHost()
    facts.lookAtFiles()
    var patient = Patient(facts: facts)
    if facts.unsafeDirectory == nil { await lookInside(&patient) }
    return patient
  }

  private func lookInside(_ patient: inout Patient) async {
    do {
      let store = try await SQLStore.open(configuration.databaseLocation, .asItIs, tariff: configuration.tariff)
      try await look(store, &patient.facts)
      await look(store, &patient)
    } catch let error as DatabaseIsMissing {
      patient.facts.database = .missing("\(error)")
    } catch {
      patient.facts.database = .unusable("\(Worded.error(error))")
    }
  }

  private func look(_ store: SQLStore, _ facts: inout HostFacts) async throws {
    let now = SystemClock().now
    facts.database = .open(contradictions: try await store.contradictions(), logBytes: logBytes)
    facts.isBillingClockDoubted = try await store.isBillingClockDoubted(at: now)
    facts.hostName = configuration.localHostName
    facts.memory?.reservedMiB =
      try await store.hosts().first { $0.host.name == facts.hostName }?.reserved.memoryMiB ?? 0
    facts.lookAtImages(of: try await store.catalogue())
    facts.pools = try await pools(store)
    try await lookAtNames(store, &facts)
    facts.stateBackupAge = stateBackupAge(of: try await store.installationID(), at: now)
    do {
      facts.keyFault = try await directory.keyFault(for: store)
    } catch let unfit as DataDirectory.Unfit {
      facts.keyFault = unfit.description
    }
  }

  private func stateBackupAge(of installation: UUID, at now: Timestamp) -> HostFacts.StateBackupAge? {
    guard let path = configuration.stateBackups.directory?.path else { return nil }
    let times = try? StateBackupFolder(path: path, installation: installation).times()
    // One of a later time was made before the clock was set back, and is no sign of copies now.
    let newest = times?.last { $0 <= now }
    return newest.map { .minutes(Int((now - $0).components.seconds) / 60) } ?? HostFacts.StateBackupAge.none
  }

  /// The size of the log beside a database in a file.
  private var logBytes: Int64 {
    guard case .file(let path) = configuration.databaseLocation else { return 0 }
    return (try? FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int64) ?? 0
  }

  private func look(_ store: SQLStore, _ patient: inout Patient) async {
    let members: [HostedFleet.Member]
    do {
      members = try await HostedFleet.open(configuration, store, logger: configuration.makeCommandLogger()).members
    } catch {
      patient.facts.silentHosts.append((configuration.localHostName, "\(Worded.error(error))"))
      return
    }
    let orphanage = Orphanage(store: store, members: members, isServed: patient.facts.isServed)
    patient.orphanage = orphanage
    for member in members {
      do {
        patient.facts.orphans += try await orphanage.look(at: member)
        guard patient.facts.isServed else { continue }
        patient.facts.differences += try await Check.differences(store, member)
        try await look(member, &patient.facts)
      } catch {
        patient.facts.silentHosts.append((member.host.name, "\(Worded.error(error))"))
      }
    }
  }

  private func look(_ member: HostedFleet.Member, _ facts: inout HostFacts) async throws {
    if let driver = member.driver as? IncusDriver {
      facts.incusFaults += try await driver.faults().map { (member.host.name, $0) }
    }
    // They are the host's, whichever driver is asked.
    if let links = member.driver.links { facts.networkProblems = try links.problems() }
    guard let driver = member.driver as? LibvirtDriver else { return }
    facts.shiftedPorts = driver.shiftedPorts
  }

  private static let recordsAtOnce = 1000

  private func pools(_ store: SQLStore) async throws -> [HostFacts.Pool] {
    let pools = configuration.unique(
      [configuration.addressPool] + configuration.locations.values.compactMap(\.addressPool))
    var taken = [Int](repeating: 0, count: pools.count)
    var last: ServerAddress?
    while true {
      let records = try await store.addresses(after: last, limit: Self.recordsAtOnce)
      for record in records where record.serverID != nil || record.isReserved {
        guard case .ipv4(let address) = record.address else { continue }
        for (index, pool) in pools.enumerated() where pool.contains(address) { taken[index] += 1 }
      }
      guard let next = records.last?.address, records.count == Self.recordsAtOnce else { break }
      last = next
    }
    return zip(pools, taken).map { HostFacts.Pool(text: $0.description, size: $0.size, taken: $1) }
  }
}

extension AddressPool {
  fileprivate var size: Int { ranges.reduce(0) { $0 + Int($1.upperBound.number) - Int($1.lowerBound.number) + 1 } }
}
