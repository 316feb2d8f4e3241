/// The pools from which the servers of each location get their addresses.
package struct AddressPools: Sendable, Equatable {
  /// The pools of one location.
  package struct Pair: Sendable, Equatable {
    package let ipv4: AddressPool
    /// Nil if servers have no IPv6.
    package let ipv6: IPv6Pool?

    package init(_ ipv4: AddressPool, ipv6: IPv6Pool? = nil) {
      self.ipv4 = ipv4
      self.ipv6 = ipv6
    }

    /// What a server would get for the address that somebody names: that address, or the network around it. Nil if it
    /// is in neither pool.
    package func gift(for address: ServerAddress) -> ServerAddress? {
      switch address {
      case .ipv4(let address): ipv4.contains(address) ? .ipv4(address) : nil
      case .ipv6(let network): ipv6?.gift(for: network).map { .ipv6($0) }
      }
    }
  }

  private let standard: Pair
  private let ofLocations: [String: Pair]

  /// - Parameter ofLocations: By the location's code, for those that do not have the standard pools.
  package init(_ standard: Pair, ofLocations: [String: Pair] = [:]) {
    self.standard = standard
    self.ofLocations = ofLocations
  }

  package subscript(location: String) -> Pair { ofLocations[location] ?? standard }
}
