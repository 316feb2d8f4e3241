package import struct Foundation.UUID

/// The hosts, whether they answer, and what servers have reserved of them.
package protocol HostStore: Sendable {
  /// Stores the configured hosts, and returns them in the order of the configuration. A new host is away until it
  /// answers; one that is not configured any more keeps its servers, and is away.
  func registerHosts(_ declared: [HostDeclaration], at now: Timestamp) async throws -> [Host]
  /// Stores the one host of a service that has a host of its own beside other services, whose hosts stay as they are.
  /// Throws `HostRefused` if another data directory has a host of this name, this data directory has servers on a host of
  /// another name, there are servers on a host of no data directory, or the location has another host and may not be
  /// shared.
  ///
  /// - Parameter directory: The id of the service's data directory.
  func registerOwnHost(
    _ declared: HostDeclaration, of directory: UUID, mayShareLocation: Bool, at now: Timestamp
  ) async throws -> Host
  /// The hosts that are configured or have servers, in the order of their ids.
  func hosts() async throws -> [HostLoad]
  /// Records that the host answers, and its capacity.
  func recordAnswer(of id: ID<Host>, capacity: HostCapacity?) async throws
  /// Records whether the host's network enforces firewalls.
  func recordFirewalls(of id: ID<Host>, areEnforced: Bool) async throws
  /// Records that the host does not answer; repeated calls keep the first time.
  func recordAway(_ id: ID<Host>, since time: Timestamp) async throws
  /// Whether any of the heirs is active and has room for at least one server of the host that is to live on.
  func hasHeir(ofServersOn id: ID<Host>, among heirs: Set<ID<Host>>) async throws -> Bool
  /// Records why the host, which is away since then, is not switched off. Returns false, and records nothing, where it is not away
  /// since then any more, is off already, or was let back by an operator.
  func recordNoFence(of id: ID<Host>, awaySince: Timestamp, because reason: String) async throws -> Bool
  /// Records that the host, which is away since then, is being switched off. Returns false where it is not away since then any more, is
  /// off already, or is let back by an operator.
  func beginFence(of id: ID<Host>, awaySince: Timestamp) async throws -> Bool
  /// Records how a try to switch the host off ended: nil where it is certainly off. From then on the host is draining, and its servers
  /// are taken. Returns false, and records nothing, where it is not away since then any more, or was let back by an operator.
  func recordFence(of id: ID<Host>, awaySince: Timestamp, failure: String?, at now: Timestamp) async throws -> Bool
  /// Gives the next server of a host that is certainly off, by its id, to the best of its heirs, with all that is to be done for it. One
  /// that was active is to be started there. Returns nil where there is no next one, or the host is not certainly off any more.
  func takeNextServer(
    from id: ID<Host>, after last: ID<Server>?, to heirs: Set<ID<Host>>, resuming steps: ResumedSteps, at now: Timestamp
  ) async throws -> TakenServer?
  /// Sets whether the host gets no new servers, and from when on those that it has are moved to other hosts of its
  /// location; nil to let them stay. A host that is fenced and gets servers again is let back. Returns nil if there is no
  /// such host.
  func setDraining(
    _ isDraining: Bool, movingServersAt time: Timestamp?, host name: String, by operator: Operator, at now: Timestamp
  ) async throws -> Host?
  /// Queues the next move of a server of the host, which is draining, to one of these other hosts of its location, unless
  /// as many as `limit` are under way. Accounts have their turns; a server whose move has failed since `moment` is left
  /// alone.
  func continueDraining(
    of id: ID<Host>, to receivers: Set<ID<Host>>, atOnce limit: Int, triedBefore moment: Timestamp, at now: Timestamp
  ) async throws -> DrainProgress
  /// Gives a host another name, and to the data directory that registers this name next. Throws `HostRefused` if there is
  /// no such host, the new name is taken, or a service has the host at the moment.
  func renameHost(_ name: String, to newName: String, by operator: Operator, at now: Timestamp) async throws -> Host
  /// Deletes servers of a host that is gone for good, with all that they have, without asking the host: the first `limit` of
  /// those that are left. Returns how many they were. Throws `HostRefused` if there is no such host, it is not away, or a
  /// service has it at the moment.
  func deleteServers(
    ofLostHost name: String, atMost limit: Int, by operator: Operator, at now: Timestamp
  ) async throws -> Int
  /// Removes a host that is gone for good. Throws `HostRefused` if there is no such host, it has servers, a move to or
  /// from it is not over, or a service has it at the moment.
  func removeHost(_ name: String, by operator: Operator, at now: Timestamp) async throws -> Host
}

extension HostStore {
  package func setDraining(_ isDraining: Bool, host name: String, at now: Timestamp) async throws -> Host? {
    try await setDraining(isDraining, movingServersAt: nil, host: name, by: .host, at: now)
  }
}
