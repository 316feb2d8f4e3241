/// How the addresses of a location get their names.
package struct ReverseNaming: Sendable {
  package let zones: any ReverseZones
  /// Nil where an address has no name but the one that its customer gives it.
  package let pattern: NamePattern?
  /// Who is asked whether a name leads back; nil where any name will do.
  package let lookup: (any NameLookup)?

  package init(zones: any ReverseZones, pattern: NamePattern?, lookup: (any NameLookup)? = nil) {
    self.zones = zones
    self.pattern = pattern
    self.lookup = lookup
  }

  /// - Parameter given: By its customer.
  package func name(of address: IPAddress, given: Hostname?) -> Hostname? { given ?? pattern?.name(of: address) }
}

/// How those of each location do.
package struct ReverseNamings: Sendable {
  private let standard: ReverseNaming?
  private let ofLocations: [String: ReverseNaming?]

  /// - Parameter ofLocations: By the location's code, where it is another one than the standard, or none.
  package init(_ standard: ReverseNaming? = nil, ofLocations: [String: ReverseNaming?] = [:]) {
    self.standard = standard
    self.ofLocations = ofLocations
  }

  /// Nil where its addresses have no names of ours.
  package subscript(location: String) -> ReverseNaming? { ofLocations[location] ?? standard }

  package var isEmpty: Bool { standard == nil && ofLocations.values.allSatisfy { $0 == nil } }
}
