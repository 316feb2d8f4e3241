extension OperatingSystem {
  package static let nameRule = TextRule(maximumLength: 64)
}

/// An operating system that is to be offered.
package struct NewOperatingSystem: Sendable, Equatable {
  /// The full name, "Debian 12".
  package let name: String
  package let slug: String
  package let family: String
  package let version: String
  /// The name of the image in the image store.
  package let imageName: String
  package let username: String

  package init(
    name: String, slug: String, family: String, version: String, imageName: String,
    username: String = OperatingSystem.standardUsername
  ) {
    self.name = name
    self.slug = slug
    self.family = family
    self.version = version
    self.imageName = imageName
    self.username = username
  }
}

/// What is to be different about an operating system; nil leaves a field as it is.
package struct OperatingSystemChange: Sendable, Equatable {
  package var name: String?
  package var slug: String?
  package var family: String?
  package var version: String?
  package var imageName: String?
  package var isAvailable: Bool?
  package var username: String?

  package init() {}
}
