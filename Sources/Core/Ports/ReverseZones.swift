/// The DNS server that has the reverse zones of a location.
package protocol ReverseZones: Sendable {
  /// Replaces the PTR records of each address by the given name; nil removes them. Repeating a call is harmless.
  /// Returns the addresses whose names were not taken, each with what was in the way. Throws `UnreachableNameServer` if the
  /// server does not answer; some names may be set by then.
  func say(_ names: [IPAddress: Hostname?]) async throws -> [IPAddress: NameTrouble]

  /// The names that the server has for these addresses, in lower case. Addresses that nothing could be learnt about are
  /// left out.
  func names(of addresses: [IPAddress]) async throws -> [IPAddress: Set<String>]

  /// What would prevent names for these addresses. Changes nothing. Throws `UnreachableNameServer` if the server does
  /// not answer, or cannot tell.
  func obstacles(to addresses: [IPAddress]) async throws -> ZoneObstacles
}

/// Why a DNS server has not taken a name.
package enum NameTrouble: Hashable, Sendable {
  /// It does not want this name, and says why.
  case refused(String)
  /// It has failed, which says nothing about the name: its disk is full, or the zone is not loaded yet.
  case failed(String)

  package var reason: String {
    switch self {
    case .refused(let reason), .failed(let reason): reason
    }
  }
}

/// What prevents a DNS server from taking names.
package struct ZoneObstacles: Sendable, Equatable {
  /// Whether it refuses the key that the requests are signed with.
  package let isKeyRefused: Bool
  /// The addresses that it has no zone for.
  package let homeless: [IPAddress]

  package init(isKeyRefused: Bool = false, homeless: [IPAddress] = []) {
    self.isKeyRefused = isKeyRefused
    self.homeless = homeless
  }
}

/// Looks up names in DNS.
package protocol NameLookup: Sendable {
  /// Whether the name resolves to the address. Throws `UnreachableNameServer` if that cannot be learnt now.
  func leads(_ name: Hostname, to address: IPAddress) async throws -> Bool
}

package struct UnreachableNameServer: Error, CustomStringConvertible {
  /// For the operator.
  package let reason: String

  package var description: String { reason }

  package init(_ reason: String) {
    self.reason = reason
  }
}
