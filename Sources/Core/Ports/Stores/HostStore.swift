/// The hosts, whether they answer, and what servers have reserved of them.
package protocol HostStore: Sendable {
  /// Stores the configured hosts, and returns them in the order of the configuration. A new host is away until it
  /// answers; one that is not configured any more keeps its servers, and is away.
  func registerHosts(_ declared: [HostDeclaration], at now: Timestamp) async throws -> [Host]
  /// The hosts that are configured or have servers, in the order of their ids.
  func hosts() async throws -> [HostLoad]
  /// Records that the host answers, and its capacity.
  func recordAnswer(of id: ID<Host>, capacity: HostCapacity?) async throws
  /// Records that the host does not answer; repeated calls keep the first time.
  func recordAway(_ id: ID<Host>, since time: Timestamp) async throws
  /// Sets whether the host gets no new servers. Returns nil if there is no such host.
  func setDraining(
    _ isDraining: Bool, host name: String, by operator: Operator, at now: Timestamp
  ) async throws -> Host?
}

extension HostStore {
  package func setDraining(_ isDraining: Bool, host name: String, at now: Timestamp) async throws -> Host? {
    try await setDraining(isDraining, host: name, by: .host, at: now)
  }
}
