package import struct Foundation.UUID

/// A move of a server to another host that is not over.
package struct ServerMove: Sendable, Equatable {
  package let source: ID<Host>
  package let target: ID<Host>
  /// The code of the target's location, which is the server's own if the move stays there.
  package let location: String
  /// The addresses that the server will have there; empty if it keeps its own.
  package let arriving: [ServerAddress]

  package init(source: ID<Host>, target: ID<Host>, location: String, arriving: [ServerAddress]) {
    self.source = source
    self.target = target
    self.location = location
    self.arriving = arriving
  }
}

/// Where a server is to be moved.
package struct MoveOrder: Sendable, Equatable {
  /// The host that the server is on, as far as the order knows.
  package let source: ID<Host>
  package let location: String
  /// The hosts of the location that can receive machines of the source.
  package let receivers: Set<ID<Host>>

  package init(from source: ID<Host>, to location: String, receivers: Set<ID<Host>>) {
    self.source = source
    self.location = location
    self.receivers = receivers
  }
}

/// A move in the history of its server.
package struct MoveRecord: Sendable, Equatable {
  package let fromLocation: String
  package let toLocation: String
  /// The server's first address before the move.
  package let oldAddress: IPv4Address?
  /// The first address that it has since; nil while it has not been moved, or if it was not.
  package let newAddress: IPv4Address?
  /// From the request to shut down until the server was active at its new host; nil if it was not active before, or if the move
  /// is not over.
  package let downtime: Duration?

  package init(
    fromLocation: String, toLocation: String, oldAddress: IPv4Address?, newAddress: IPv4Address?, downtime: Duration?
  ) {
    self.fromLocation = fromLocation
    self.toLocation = toLocation
    self.oldAddress = oldAddress
    self.newAddress = newAddress
    self.downtime = downtime
  }
}

/// A machine whose server is the host's, and whose former host was lost.
package struct AwaitedMachine: Sendable, Equatable {
  package let move: ID<Operation>
  package let server: ID<Server>
  package let machine: UUID

  package init(move: ID<Operation>, server: ID<Server>, machine: UUID) {
    self.move = move
    self.server = server
    self.machine = machine
  }
}

/// Where operations go on whose host was lost in the middle of them, by the names of their steps.
package struct ResumedSteps: Sendable, Equatable {
  /// The one that defines a machine that is to be started.
  package let define: String
  /// Those that come after it, and presume what only the lost host has.
  package let afterDefine: [String]
  /// The one that removes what was made of a copy.
  package let cleanCopy: String

  package init(define: String, afterDefine: [String], cleanCopy: String) {
    self.define = define
    self.afterDefine = afterDefine
    self.cleanCopy = cleanCopy
  }
}

/// What a host may still have of a machine that is not its own: its server was moved away from it, or did not get there.
package struct LeftoverMachine: Sendable, Equatable {
  package let move: ID<Operation>
  package let machine: UUID
  /// The server's own host; nil once the server is deleted, of which nothing is kept.
  package let home: ID<Host>?

  package init(move: ID<Operation>, machine: UUID, home: ID<Host>?) {
    self.move = move
    self.machine = machine
    self.home = home
  }
}
