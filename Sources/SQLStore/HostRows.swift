import Core

extension Host: RowReadable {
  static let columns = """
    host.id, host.name, host.location, host.driver, host.vcpus, host.memory_mib, host.storage_gib, \
    host.is_configured, host.is_draining, host.moves_servers_at, host.away_since, host.fence, host.fence_failure, \
    host.url, host.enforces_firewalls
    """

  init(from row: inout RowReader) throws {
    self.init(
      id: try row.next(), name: try row.next(), location: try row.next(), driver: try row.next(),
      capacity: try HostCapacity(vcpus: row.next(), memoryMiB: row.next(), storageGiB: row.next()),
      isConfigured: try row.next(), isDraining: try row.next(), movesServersAt: try row.next(),
      awaySince: try row.next(), fence: try row.next(), fenceFailure: try row.next(), url: try row.next(),
      enforcesFirewalls: try row.next())
  }
}

extension HostLoad: RowReadable {
  static let columns = """
    \(Host.columns), host.reserved_vcpus, host.reserved_memory_mib, host.reserved_storage_gib, host.server_count
    """

  init(from row: inout RowReader) throws {
    self.init(
      host: try Host(from: &row),
      reserved: HostCapacity(vcpus: try row.next(), memoryMiB: try row.next(), storageGiB: try row.next()),
      serverCount: try row.next())
  }
}

extension HostCapacity {
  fileprivate init?(vcpus: Int?, memoryMiB: Int?, storageGiB: Int?) {
    guard let vcpus, let memoryMiB, let storageGiB else { return nil }
    self.init(vcpus: vcpus, memoryMiB: memoryMiB, storageGiB: storageGiB)
  }
}

extension SQLConnection {
  func host(_ id: ID<Host>) throws -> Host? {
    try first("SELECT \(Host.columns) FROM host WHERE id = ?", [id])
  }

  /// The least loaded fit host of the location with room for the plan. Throws `noCapacity` where there is none.
  func chooseHost(
    for plan: Plan, at location: String, where isFit: (Host) -> Bool = { _ in true }
  ) throws -> Host {
    try chooseHost(forShare: HostCapacity(of: plan), at: location, where: isFit)
  }

  func chooseHost(
    forShare share: HostCapacity, at location: String, where isFit: (Host) -> Bool
  ) throws -> Host {
    let own: [HostLoad] = try all(
      "SELECT \(HostLoad.columns) FROM host WHERE location = ? AND is_configured = 1", [location])
    let candidates: [HostLoad] =
      own.isEmpty
      ? try all("SELECT \(HostLoad.columns) FROM host WHERE location IS NULL AND is_configured = 1") : own
    guard let host = HostChoice.host(forShare: share, among: candidates.filter { isFit($0.host) }) else {
      throw Failure.noCapacity(at: location)
    }
    return host
  }

  /// Throws `noCapacity` where the server's host has no room for the server's new plan. A resource of which the server needs no
  /// more than before is not checked, even if the host has too little of it.
  func requireRoom(for plan: Plan, insteadOf server: Server) throws {
    let load: HostLoad? = try first("SELECT \(HostLoad.columns) FROM host WHERE id = ?", [server.hostID])
    let (host, all) = try load.map { ($0.host, $0.reserved) }.orFail("there is no host \(server.hostID)")
    guard !host.isAway else { throw Failure.noCapacity(at: server.location) }
    guard let capacity = host.capacity else { return }
    let own = try reserved(by: server.id)
    func fits(_ wanted: Int, _ own: Int, _ all: Int, _ capacity: Int) -> Bool {
      wanted <= own || all - own + wanted <= capacity
    }
    guard fits(plan.vcpus, own.vcpus, all.vcpus, capacity.vcpus),
      fits(plan.memoryMiB, own.memoryMiB, all.memoryMiB, capacity.memoryMiB),
      fits(plan.storageGiB, own.storageGiB, all.storageGiB, capacity.storageGiB)
    else { throw Failure.noCapacity(at: server.location) }
  }

  func reserved(by server: ID<Server>) throws -> HostCapacity {
    let found = try rows("SELECT vcpus, memory_mib, storage_gib FROM server WHERE id = ?", [server]) { row in
      HostCapacity(vcpus: try row.next(), memoryMiB: try row.next(), storageGiB: try row.next())
    }
    return try found.first.orFail("there is no server \(server)")
  }
}

extension Failure {
  fileprivate static func noCapacity(at location: String) -> Failure {
    Failure(.noCapacity, "No capacity at \(location) for this plan.")
  }
}
