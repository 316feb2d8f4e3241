/// The hosts, whether they answer, and who is on them.
package protocol HostStore: Sendable {
  /// Makes the hosts of the configuration known, in its order. A new one is away until it answers; one that is not in the
  /// configuration any more keeps its servers, and is away.
  func registerHosts(_ declared: [HostDeclaration], at now: Timestamp) async throws -> [Host]
  /// Those that are configured, or have servers, in the order of their ids.
  func hosts() async throws -> [HostLoad]
  /// The host answers, and carries so much.
  func recordAnswer(of id: ID<Host>, capacity: HostCapacity?) async throws
  /// The host does not answer; the first time stays.
  func recordAway(_ id: ID<Host>, since time: Timestamp) async throws
  /// Whether it takes new servers no more. Returns nil where there is no such host.
  func setDraining(
    _ isDraining: Bool, host name: String, by operator: Operator, at now: Timestamp
  ) async throws -> Host?
}

extension HostStore {
  package func setDraining(_ isDraining: Bool, host name: String, at now: Timestamp) async throws -> Host? {
    try await setDraining(isDraining, host: name, by: .host, at: now)
  }
}
