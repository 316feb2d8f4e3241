import Core
import Foundation
import Synchronization

/// Tells our domains from those of others. A domain's mark never changes its installation, so it is read once.
final class Ownership: Sendable {
  private let installation: UUID
  private let known = Mutex<[UUID: Bool]>([:])

  init(installation: UUID) {
    self.installation = installation
  }

  /// Nil where there is no such domain; throws where there is one that is not ours.
  func domain(_ machine: UUID, on connection: Connection) throws -> Domain? {
    guard let domain = try connection.domain(machine) else { return nil }
    do {
      guard try domain.mark()?.installation == installation else {
        throw DriverError(.rejected, "the domain \(domain.name) does not bear this installation's mark")
      }
    } catch let error as LibvirtError where error.isMissingDomain {
      return nil
    }
    return domain
  }

  func existingDomain(_ machine: UUID, on connection: Connection) throws -> Domain {
    guard let domain = try domain(machine, on: connection) else {
      throw DriverError(.notFound, "there is no domain for the machine \(machine.text)")
    }
    return domain
  }

  /// Our domains, by machine. Domains that vanish meanwhile are left out.
  func filter(_ all: [DomainStatistics]) throws -> [UUID: DomainStatistics] {
    var owned: [UUID: DomainStatistics] = [:]
    var seen: [UUID: Bool] = [:]
    let known = known.withLock { $0 }
    for statistics in all {
      guard let machine = statistics.domain.uuid else { continue }
      do {
        let isOwned = try known[machine] ?? (statistics.domain.mark()?.installation == installation)
        seen[machine] = isOwned
        if isOwned { owned[machine] = statistics }
      } catch let error as LibvirtError where error.isMissingDomain {
        continue
      }
    }
    self.known.withLock { [seen] in $0 = seen }
    return owned
  }
}
