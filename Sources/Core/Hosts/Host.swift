/// A place where machines run: this machine, a member of a cluster, or a simulated host.
package struct Host: Sendable, Equatable {
  package enum State: String, Sendable, CaseIterable {
    case active
    /// It keeps its servers and gets no new ones.
    case draining
    /// It does not answer, or was removed from the configuration: nothing is requested of it.
    case away
  }

  package let id: ID<Host>
  /// The unique name that the operator gave it: `local`, `eu-1/3`.
  package let name: String
  /// Nil for the host of all locations that have no host of their own.
  package let location: String?
  package let driver: String
  /// What servers may reserve of it in total; nil if there is no limit, or if it has never answered.
  package let capacity: HostCapacity?
  package let isConfigured: Bool
  package let isDraining: Bool
  package let awaySince: Timestamp?

  package init(
    id: ID<Host>, name: String, location: String?, driver: String, capacity: HostCapacity?, isConfigured: Bool,
    isDraining: Bool, awaySince: Timestamp?
  ) {
    self.id = id
    self.name = name
    self.location = location
    self.driver = driver
    self.capacity = capacity
    self.isConfigured = isConfigured
    self.isDraining = isDraining
    self.awaySince = awaySince
  }

  package var state: State {
    if !isConfigured || awaySince != nil { return .away }
    return isDraining ? .draining : .active
  }
}

/// A host as the configuration declares it.
package struct HostDeclaration: Sendable, Equatable {
  package let name: String
  /// Nil for the host of all locations that have no host of their own.
  package let location: String?
  package let driver: String

  package init(name: String, location: String?, driver: String) {
    self.name = name
    self.location = location
    self.driver = driver
  }

  /// The host of an installation that configures none, and of all servers from before there were hosts.
  package static let localName = "local"
}

/// A host and what its servers have reserved of it.
package struct HostLoad: Sendable, Equatable {
  package let host: Host
  package let reserved: HostCapacity
  package let serverCount: Int

  package init(host: Host, reserved: HostCapacity, serverCount: Int) {
    self.host = host
    self.reserved = reserved
    self.serverCount = serverCount
  }
}
