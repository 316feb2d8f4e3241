package import Core
import Synchronization

/// Asks a resolver where a name leads, through `dig`.
package final class DigLookup: NameLookup {
  private static let mostAtOnce = 16
  private static let limit = Duration.seconds(8)

  /// Nil for the resolvers of the host.
  private let resolver: NameServerAddress?
  private let underWay = Mutex(0)

  package init(resolver: NameServerAddress?) {
    self.resolver = resolver
  }

  package func leads(_ name: Hostname, to address: IPAddress) async throws -> Bool {
    let isFree = underWay.withLock { count in
      guard count < Self.mostAtOnce else { return false }
      count += 1
      return true
    }
    guard isFree else { throw UnreachableNameServer("\(Self.mostAtOnce) names are looked up already") }
    defer { underWay.withLock { $0 -= 1 } }
    let type = address.isIPv4 ? "A" : "AAAA"
    let server = resolver.map { ["@\($0.address)", "-p", "\($0.port)"] } ?? []
    let run = ProgramRun(
      name: "dig",
      arguments: ["-r"] + server + [
        "+noall", "+comments", "+question", "+answer", "+time=2", "+tries=2", "-q", "\(name.name).", "-t", type,
      ], limit: Self.limit)
    let ending = try await run.run()
    guard ending.exitStatus == 0, let answer = Answer.all(in: ending.output).last,
      answer.isResponse, ["NOERROR", "NXDOMAIN"].contains(answer.status)
    else { throw UnreachableNameServer("\(name) cannot be looked up: \(ending.output.escaped(atMost: 300))") }
    // If the name is an alias, the answer contains the addresses of its target, too.
    return answer.records.contains { $0.type == type && IPAddress($0.data) == address }
  }
}
