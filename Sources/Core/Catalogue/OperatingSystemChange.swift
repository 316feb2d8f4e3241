extension OperatingSystem {
  package static let nameRule = TextRule(maximumLength: 64)

  /// Why the text is not a valid user name in a guest, as a message for its author; nil if it is valid.
  package static func usernameViolation(in text: String) -> String? {
    func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_") }
    let isFit =
      (1...32).contains(text.utf8.count) && text.utf8.first.map(isLetter) == true
      && text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }
    return isFit ? nil : "Write 1 to 32 of a-z, 0-9, hyphen and underscore, and a letter or underscore first."
  }
}

/// An operating system that is to be added to the catalogue.
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

/// Changes to an operating system; nil leaves a field as it is.
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
