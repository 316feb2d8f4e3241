/// How the addresses of a location get their names.
package struct ReverseNaming: Sendable {
  package let zones: any ReverseZones
  /// Nil if an address has no name unless its customer chooses one.
  package let pattern: NamePattern?
  /// Checks whether a name resolves to its address; nil if any name is accepted.
  package let lookup: (any NameLookup)?

  package init(zones: any ReverseZones, pattern: NamePattern?, lookup: (any NameLookup)? = nil) {
    self.zones = zones
    self.pattern = pattern
    self.lookup = lookup
  }

  /// - Parameter given: The name that the customer chose.
  package func name(of address: IPAddress, given: Hostname?) -> Hostname? { given ?? pattern?.name(of: address) }
}

/// How the addresses of each location get their names.
package struct ReverseNamings: Sendable {
  private let standard: ReverseNaming?
  private let ofLocations: [String: ReverseNaming?]

  /// - Parameter ofLocations: By the location's code, where it differs from the standard; nil if the location has none.
  package init(_ standard: ReverseNaming? = nil, ofLocations: [String: ReverseNaming?] = [:]) {
    self.standard = standard
    self.ofLocations = ofLocations
  }

  /// Nil if the service sets no names for the location's addresses.
  package subscript(location: String) -> ReverseNaming? { ofLocations[location] ?? standard }

  package var isEmpty: Bool { standard == nil && ofLocations.values.allSatisfy { $0 == nil } }
}
