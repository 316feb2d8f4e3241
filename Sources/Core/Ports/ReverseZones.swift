/// The DNS server that has the reverse zones of a location.
package protocol ReverseZones: Sendable {
  /// Replaces the PTR records of each address by the given name; nil removes them. Repeating a call is harmless.
  /// Returns the refused addresses with the reasons. Throws `UnreachableNameServer` if the server does not answer; some
  /// names may be set by then.
  func say(_ names: [IPAddress: Hostname?]) async throws -> [IPAddress: String]

  /// The names that the server has for these addresses, in lower case. Addresses that nothing could be learnt about are
  /// left out.
  func names(of addresses: [IPAddress]) async throws -> [IPAddress: Set<String>]

  /// What would prevent names for these addresses. Changes nothing. Throws `UnreachableNameServer` if the server does
  /// not answer.
  func obstacles(to addresses: [IPAddress]) async throws -> ZoneObstacles
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
