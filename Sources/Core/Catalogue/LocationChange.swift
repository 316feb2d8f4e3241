extension Location {
  package static let nameRule = TextRule(maximumLength: 64)

  /// ISO 3166-1 alpha-2: two capital letters.
  package static func isCountryCode(_ text: String) -> Bool {
    text.utf8.count == 2 && text.utf8.allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
  }
}

/// A location that is to be added to the catalogue.
package struct NewLocation: Sendable, Equatable {
  package let code: String
  package let name: String
  package let countryCode: String
  package let countryName: String

  package init(code: String, name: String, countryCode: String, countryName: String) {
    self.code = code
    self.name = name
    self.countryCode = countryCode
    self.countryName = countryName
  }
}

/// Changes to a location; nil leaves a field as it is. The code cannot be changed: servers and hosts refer to it.
package struct LocationChange: Sendable, Equatable {
  package var name: String?
  package var countryCode: String?
  package var countryName: String?
  package var isActive: Bool?

  package init() {}
}
