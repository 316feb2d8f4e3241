package import Foundation

package struct OperatingSystem: Sendable, Equatable {
  package let id: ID<OperatingSystem>
  package let uuid: UUID
  /// The full name, "Debian 12".
  package let name: String
  package let slug: String
  package let family: String
  package let version: String
  /// The name of the image in the image store.
  package let imageName: String
  package let isAvailable: Bool
  /// The user account in the guest that keys and passwords are set for.
  package let username: String

  package static let standardUsername = "root"

  package init(
    id: ID<OperatingSystem>, uuid: UUID, name: String, slug: String, family: String, version: String,
    imageName: String, isAvailable: Bool, username: String = standardUsername
  ) {
    self.id = id
    self.uuid = uuid
    self.name = name
    self.slug = slug
    self.family = family
    self.version = version
    self.imageName = imageName
    self.isAvailable = isAvailable
    self.username = username
  }
}
