import Core
import Foundation
import NIOHTTP1
import Synchronization

/// The certificates of terms in the trust store of a cluster, at which the certificate of the configuration is used for nothing else.
struct TermCertificates: Sendable {
  private static let deadline = Duration.seconds(10)
  private static let lookInterval = Duration.milliseconds(50)
  /// How long a change that is there may take until the asked member says so.
  private static let grace = Duration.milliseconds(300)

  private struct Entry: Decodable {
    let name: String
    let fingerprint: String
  }

  private let client: IncusClient
  private let members: [IncusClient]
  private let prefix: String
  private let clock: any WallClock

  /// - Parameter owner: Whose terms they are: others' are not touched.
  init(endpoints: IncusEndpoints, project: String, owner: String, clock: any WallClock) {
    self.clock = clock
    client = IncusClient(endpoints: endpoints, project: project)
    members = endpoints.each.map { IncusClient(endpoints: $0, project: project) }
    prefix = "vpsd \(owner) term "
  }

  func name(ofTerm number: Int64) -> String { prefix + String(number) }

  /// Fingerprints of those that there are.
  ///
  /// - Parameter name: Only those of this name.
  func all(named name: String? = nil) async throws -> Set<String> {
    let entries = try await client.get(
      IncusPath("certificates", query: ["recursion": "1"]), as: [Entry].self, within: IncusDeadline.instance,
      mostBytes: 16 << 20)
    let wanted = entries.filter { entry in name.map { entry.name == $0 } ?? entry.name.hasPrefix(prefix) }
    return Set(wanted.map(\.fingerprint))
  }

  func remove(_ fingerprint: String) async throws {
    try await make(.init(method: .DELETE, path: IncusPath("certificates", fingerprint), deadline: Self.deadline)) {
      !$0.contains(fingerprint)
    }
  }

  func add(_ identity: ClientIdentity, named name: String) async throws {
    let body = JSONBody(["type": .text("client"), "name": .text(name), "certificate": .text(identity.base64)])
    let request = IncusClient.Request(
      method: .POST, path: IncusPath("certificates"), body: try body.bytes, deadline: Self.deadline)
    let isSaid = try await make(request) { $0.contains(identity.fingerprint) }
    if !isSaid { Task { await announce(identity.fingerprint) } }
  }

  private final class Reply: Sendable {
    let outcome = Mutex<Result<IncusOperation?, any Error>?>(nil)
  }

  /// Asks for a change, and returns once it is in the trust store. The asked member says that it is when all others know, and so never
  /// while one of them hangs. Returns whether it has said so: one that says that it could not tell the others may not know it itself.
  @discardableResult
  private func make(_ change: IncusClient.Request, seen isSeen: (Set<String>) -> Bool) async throws -> Bool {
    let reply = Reply()
    Task {
      let outcome: Result<IncusOperation?, any Error>
      do {
        outcome = .success(try await client.send(change))
      } catch {
        outcome = .failure(error)
      }
      reply.outcome.withLock { $0 = outcome }
    }
    let deadline = clock.uptime + Self.deadline
    var seenAt: Instant?
    while true {
      let outcome = reply.outcome.withLock { $0 }
      if seenAt == nil, isSeen(try await all()) { seenAt = clock.uptime }
      if let seenAt, outcome != nil || clock.uptime - seenAt >= Self.grace {
        if case .success = outcome { return true }
        return false
      }
      if seenAt == nil {
        if case .failure(let error) = outcome { throw error }
        guard clock.uptime < deadline else { throw IncusError.noAnswer(within: Self.deadline) }
      }
      try await clock.sleep(for: Self.lookInterval)
    }
  }

  /// A member reads the trust store when another one has changed something there, and after its own changes once all others have. So
  /// one that waits for a member that hangs learns of its own change from a third.
  private func announce(_ fingerprint: String) async {
    await withDiscardingTaskGroup { group in
      for member in members {
        group.addTask {
          let body = try? JSONBody(["description": .text("the service that acts on this Incus")]).bytes
          _ = try? await member.send(
            .init(
              method: .PATCH, path: IncusPath("certificates", fingerprint), body: body, deadline: Self.deadline))
        }
      }
    }
  }

  /// What keeps services from sharing it; nil where nothing does.
  func fault(of facts: ServerFacts) async throws -> String? {
    guard facts.isSharable else {
      return "it is a cluster of LXD, which does not keep a service that hung from acting: let one service have it"
    }
    guard let own = facts.userName else { return nil }
    struct Own: Decodable { let restricted: Bool? }
    let certificate = try await client.get(
      IncusPath("certificates", own), as: Own.self, within: IncusDeadline.instance)
    guard certificate.restricted == true else { return nil }
    return "its client_certificate is restricted: among several services it has to add and remove those of their terms"
  }
}
