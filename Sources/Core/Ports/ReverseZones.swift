/// The DNS server that has the reverse zones of a location.
package protocol ReverseZones: Sendable {
  /// Puts each name in the place of whatever the address is called there; nil takes that away. The same once more does no harm.
  /// Returns what was refused, and why. Throws `UnreachableNameServer` where nobody answered; some may have been said by then.
  func say(_ names: [IPAddress: Hostname?]) async throws -> [IPAddress: String]

  /// What stands there of these addresses, in small letters. An address that nothing can be learnt of is not in the answer.
  func names(of addresses: [IPAddress]) async throws -> [IPAddress: Set<String>]

  /// What is in the way of names of these addresses. It changes nothing. Throws `UnreachableNameServer` where nobody answers.
  func obstacles(to addresses: [IPAddress]) async throws -> ZoneObstacles
}

/// What keeps a DNS server from having names.
package struct ZoneObstacles: Sendable, Equatable {
  /// Whether it does not believe who asks.
  package let isKeyRefused: Bool
  /// Those that it has no zone for.
  package let homeless: [IPAddress]

  package init(isKeyRefused: Bool = false, homeless: [IPAddress] = []) {
    self.isKeyRefused = isKeyRefused
    self.homeless = homeless
  }
}

/// Who knows where names lead.
package protocol NameLookup: Sendable {
  /// Whether the name leads to the address. Throws `UnreachableNameServer` where that cannot be learnt now.
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
