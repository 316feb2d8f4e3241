package struct Location: Sendable, Equatable {
  package let id: ID<Location>
  package let code: String
  package let name: String
  /// ISO 3166-1 alpha-2.
  package let countryCode: String
  package let countryName: String
  package let isActive: Bool

  package init(
    id: ID<Location>, code: String, name: String, countryCode: String, countryName: String, isActive: Bool
  ) {
    self.id = id
    self.code = code
    self.name = name
    self.countryCode = countryCode
    self.countryName = countryName
    self.isActive = isActive
  }
}
