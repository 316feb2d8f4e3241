/// A place where machines run: this machine, a member of a cluster, or a simulated host.
package struct Host: Sendable, Equatable {
  package enum State: String, Sendable, CaseIterable {
    case active
    /// It keeps its servers and gets no new ones.
    case draining
    /// It does not answer, or was removed from the configuration: nothing is requested of it.
    case away
    /// It is away, and being switched off for certain.
    case fencing
    /// It is away and certainly off: its servers start on other hosts of its location.
    case fenced
  }

  /// How far it is certain that a host that is away is off. It ends when the host answers.
  package enum Fence: String, Sendable {
    case begun
    case done
    /// An operator lets the host come back: nothing of it is taken any more, and it is not switched off again before it has answered.
    case released
  }

  /// A host that has not answered for so long is away, where its driver says nothing else (`MachineTiming`).
  package static let longestSilence = Duration.seconds(30)

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
  /// From when on its servers are moved to other hosts of its location, while it is draining; nil if they stay.
  package let movesServersAt: Timestamp?
  package let awaySince: Timestamp?
  /// Nil for a host that answers, or that nobody switches off.
  package let fence: Fence?
  /// Why it could not be switched off at the last try, or was left on; nil where it could, or need not be.
  package let fenceFailure: String?
  /// Where browsers reach the service that has this host, for consoles; nil where every service has it.
  package let url: String?
  /// Whether the host's network enforces firewalls.
  package let enforcesFirewalls: Bool

  package init(
    id: ID<Host>, name: String, location: String?, driver: String, capacity: HostCapacity?, isConfigured: Bool,
    isDraining: Bool, movesServersAt: Timestamp? = nil, awaySince: Timestamp?, fence: Fence? = nil,
    fenceFailure: String? = nil, url: String? = nil, enforcesFirewalls: Bool = false
  ) {
    self.id = id
    self.name = name
    self.location = location
    self.driver = driver
    self.capacity = capacity
    self.isConfigured = isConfigured
    self.isDraining = isDraining
    self.movesServersAt = movesServersAt
    self.awaySince = awaySince
    self.fence = fence
    self.fenceFailure = fenceFailure
    self.url = url
    self.enforcesFirewalls = enforcesFirewalls
  }

  package var isAway: Bool { !isConfigured || awaySince != nil }

  package var state: State {
    guard isAway else { return isDraining ? .draining : .active }
    switch fence {
    case .begun: return .fencing
    case .done: return .fenced
    case .released, nil: return .away
    }
  }
}

/// A host as the configuration declares it.
package struct HostDeclaration: Sendable, Equatable {
  package let name: String
  /// Nil for the host of all locations that have no host of their own.
  package let location: String?
  package let driver: String
  /// Where browsers reach the service that has this host; nil where every service has it.
  package let url: String?

  package init(name: String, location: String?, driver: String, url: String? = nil) {
    self.name = name
    self.location = location
    self.driver = driver
    self.url = url
  }

  /// The host of an installation that configures none, and of all servers from before there were hosts.
  package static let localName = "local"
}

/// Why hosts cannot be registered, or a host cannot be renamed or removed, as a sentence for the operator.
package struct HostRefused: Error, CustomStringConvertible, Equatable {
  package let description: String

  package init(_ description: String) {
    self.description = description
  }
}

/// What becomes of a host whose servers are to be moved to others of its location.
package struct DrainProgress: Sendable, Equatable {
  /// From when on; nil if they stay.
  package var movesServersAt: Timestamp?
  /// Whether another move was queued.
  package var isMoveQueued = false
  /// Servers for which no other host has room now.
  package var withoutRoom: [ID<Server>] = []

  package init(movesServersAt: Timestamp? = nil) {
    self.movesServersAt = movesServersAt
  }
}

/// A server of a host that is certainly off, which was offered to other hosts.
package struct TakenServer: Sendable, Equatable {
  package let server: ID<Server>
  /// The host that it is on now; nil where none had room.
  package let target: ID<Host>?

  package init(server: ID<Server>, target: ID<Host>?) {
    self.server = server
    self.target = target
  }
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
