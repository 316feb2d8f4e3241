package import Core
import Foundation
package import Logging
import Synchronization

/// The time for which one of several services has a cluster. It makes its calls with a certificate that is only this term's.
///
/// A cluster checks the certificate of every call, on open connections too. Each member knows those that were in the trust store when it
/// last read that, all at once. Certificates of other terms are removed before this one's is added: so a member that heeds this term
/// heeds none of them any more, also where it hung meanwhile, and one that does not know it yet carries nothing out for it. Calls that
/// one member passes on to another are checked there again.
package final class IncusTerm: Sendable {
  /// Whose calls the current task makes. What a term began keeps to it, also where the same service has a later one by now.
  @TaskLocal static var current: IncusTerm?

  /// How long what is to be done for the term waits for its certificate: a cluster that is away is not waited for.
  private static let patience = Duration.seconds(10)
  private static let retryInterval = Duration.seconds(1)
  private static let lookInterval = Duration.seconds(10)

  private struct LostTerm: Error {}

  let cluster: IncusCluster
  /// What goes on between its calls.
  let work = CopyWork()
  private let number: Int64
  private let certificates: TermCertificates
  private let isHeld: @Sendable () async throws -> Bool
  private let clock: any WallClock
  private let logger: Logger
  private let heeded = Mutex<IncusClient?>(nil)

  /// Nil for a cluster that one service has for itself.
  ///
  /// - Parameters:
  ///   - number: Later terms have higher ones.
  ///   - isHeld: Whether no other service has a later one.
  package init?(
    _ number: Int64, of cluster: IncusCluster, clock: any WallClock, logger: Logger,
    isHeld: @escaping @Sendable () async throws -> Bool
  ) {
    guard let certificates = cluster.certificates else { return nil }
    self.cluster = cluster
    self.number = number
    self.certificates = certificates
    self.isHeld = isHeld
    self.clock = clock
    self.logger = logger
  }

  /// It reads only, until the cluster heeds this term.
  var client: IncusClient { heeded.withLock { $0 } ?? cluster.client }

  /// Whether the cluster has heeded it.
  var hasBegun: Bool { heeded.withLock { $0 != nil } }

  /// Runs the body, whose calls are this term's, once the cluster heeds it or does not answer in time. The certificate is removed at
  /// the end.
  package func hold(_ body: @escaping @Sendable () async -> Void) async {
    cluster.note(held: self)
    await withDiscardingTaskGroup { group in
      group.addTask { await self.keep() }
      await begun()
      await Self.$current.withValue(self) { await body() }
      group.cancelAll()
    }
    cluster.forget(held: self)
    // Not the cancelled task's: it is to be removed all the same.
    await Task { await self.withdraw() }.value
  }

  // MARK: - Its certificate

  private func begun() async {
    let deadline = clock.uptime + Self.patience
    while !hasBegun, clock.uptime < deadline, !Task.isCancelled {
      try? await clock.sleep(for: .milliseconds(20))
    }
  }

  private func keep() async {
    var isTold = false
    while !Task.isCancelled {
      do {
        if try await !isHeeded() { try await begin() }
        isTold = false
      } catch {
        if !isTold, !Task.isCancelled, !(error is LostTerm) {
          logger.warning(
            "an Incus does not heed this service yet", metadata: ["term": "\(number)", "error": "\(error)"])
        }
        isTold = true
      }
      try? await clock.sleep(for: isTold ? Self.retryInterval : Self.lookInterval)
    }
  }

  /// Whether it has a certificate that nobody has removed, as far as the cluster tells.
  private func isHeeded() async throws -> Bool {
    guard let client = heeded.withLock({ $0 }) else { return false }
    return try await client.get(IncusPath(), as: ServerFacts.self, within: IncusDeadline.server).auth == "trusted"
  }

  /// A certificate is made anew each time. What was asked for in vain, and comes late, nobody uses.
  private func begin() async throws {
    let facts = try await cluster.client.get(IncusPath(), as: ServerFacts.self, within: IncusDeadline.server)
    guard facts.isSharable else { throw IncusError.refused("a cluster of LXD is not for several services") }
    let name = certificates.name(ofTerm: number)
    let made = try ClientIdentity(name: "vpsd term \(number)")
    let others = try await certificates.all()
    // A later term's is not among those that were listed before this.
    guard try await isHeld() else { throw LostTerm() }
    for other in others { try await certificates.remove(other) }
    try await certificates.add(made, named: name)
    guard try await certificates.all() == [made.fingerprint] else {
      throw IncusError.refused("the certificates of other terms are not gone, or that of this one is not there")
    }
    // It is there, and nothing has been done with it. If another term begins from here on, it finds this certificate.
    guard try await isHeld() else { throw LostTerm() }
    let endpoints = try cluster.client.endpoints.presenting(made)
    let client = IncusClient(endpoints: endpoints, project: cluster.client.project, access: .term)
    heeded.withLock { $0 = client }
    logger.notice("an Incus heeds this service", metadata: ["term": "\(number)"])
  }

  /// The next term removes what is left.
  private func withdraw() async {
    let own = (try? await certificates.all(named: certificates.name(ofTerm: number))) ?? []
    for fingerprint in own { try? await certificates.remove(fingerprint) }
  }
}
