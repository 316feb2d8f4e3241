/// From which addresses the servers of each location are given theirs.
package struct AddressPools: Sendable, Equatable {
  package let standard: AddressPool
  private let ofLocations: [String: AddressPool]

  /// - Parameter ofLocations: By the location's code, where it is not the standard one.
  package init(_ standard: AddressPool, ofLocations: [String: AddressPool] = [:]) {
    self.standard = standard
    self.ofLocations = ofLocations
  }

  package subscript(location: String) -> AddressPool { ofLocations[location] ?? standard }
}
