package import Foundation

/// What a host has to know of an image to run machines from it.
package struct ImageProperties: Codable, Sendable, Equatable {
  /// The format in which a guest receives its configuration.
  package enum SeedFormat: String, Codable, Sendable, CaseIterable {
    /// A tar archive, which our own images read.
    case vpsd
    /// The NoCloud data source of cloud-init: a file system with the label `cidata`.
    case nocloud
  }

  package enum Firmware: String, Codable, Sendable, CaseIterable {
    case bios
    case uefi
  }

  package enum Architecture: String, Codable, Sendable, CaseIterable {
    case amd64 = "x86_64"
    case arm64 = "aarch64"
  }

  package var seedFormat = SeedFormat.vpsd
  /// The account that gets the keys and passwords.
  package var defaultUser = "root"
  /// Whether the image contains QEMU's guest agent.
  package var hasGuestAgent = true
  /// Whether an image with our own seed format also has cloud-init.
  package var hasCloudInit = false
  /// Whether templates can be made from an image with our own seed format.
  package var isInstant = false
  package var firmware = Firmware.bios
  package var architecture = Architecture.amd64

  /// The properties of our own images.
  package init() {}

  package init(
    seedFormat: SeedFormat, defaultUser: String, hasGuestAgent: Bool, firmware: Firmware, architecture: Architecture
  ) {
    self.seedFormat = seedFormat
    self.defaultUser = defaultUser
    self.hasGuestAgent = hasGuestAgent
    self.firmware = firmware
    self.architecture = architecture
  }

  enum CodingKeys: String, CodingKey {
    case seedFormat = "seed_format"
    case defaultUser = "default_user"
    case hasGuestAgent = "guest_agent"
    case hasCloudInit = "cloud_init"
    case isInstant = "instant"
    case firmware
    case architecture
  }

  /// Whether guests execute their user data.
  package var takesUserData: Bool { seedFormat == .nocloud || hasCloudInit }

  /// An absent key means the value of our own images, some of which are older than these properties.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    seedFormat = try values.decodeIfPresent(SeedFormat.self, forKey: .seedFormat) ?? seedFormat
    defaultUser = try values.decodeIfPresent(String.self, forKey: .defaultUser) ?? defaultUser
    hasGuestAgent = try values.decodeIfPresent(Bool.self, forKey: .hasGuestAgent) ?? hasGuestAgent
    hasCloudInit = try values.decodeIfPresent(Bool.self, forKey: .hasCloudInit) ?? hasCloudInit
    isInstant = try values.decodeIfPresent(Bool.self, forKey: .isInstant) ?? isInstant
    firmware = try values.decodeIfPresent(Firmware.self, forKey: .firmware) ?? firmware
    architecture = try values.decodeIfPresent(Architecture.self, forKey: .architecture) ?? architecture
  }
}

/// The content of a version's `image.json`.
package struct ImageDescription: Codable, Sendable, Equatable {
  package let name: String
  package let version: String
  package var osName: String?
  package var virtualSizeBytes: Int64?
  package var minimumDiskGiB: Int?
  /// The digest of `disk.qcow2`.
  package var sha256: String?
  /// For images that were built here.
  package var recipeHash: String?
  /// For images that were added.
  package var source: ImageSource?
  /// The digest of what was added, before it was unpacked or converted.
  package var sourceSHA256: String?
  /// The same in SHA-512, if the publisher lists that.
  package var sourceSHA512: String?
  package var properties = ImageProperties()

  package init(name: String, version: String) {
    self.name = name
    self.version = version
  }

  private enum CodingKeys: String, CodingKey {
    case name, version, disk
    case osName = "os_name"
    case virtualSizeBytes = "virtual_size_bytes"
    case minimumDiskGiB = "minimum_disk_gib"
    case sha256
    case recipeHash = "recipe_hash"
    case source
    case sourceSHA256 = "source_sha256"
    case sourceSHA512 = "source_sha512"
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    name = try values.decode(String.self, forKey: .name)
    version = try values.decode(String.self, forKey: .version)
    osName = try values.decodeIfPresent(String.self, forKey: .osName)
    virtualSizeBytes = try values.decodeIfPresent(Int64.self, forKey: .virtualSizeBytes)
    minimumDiskGiB = try values.decodeIfPresent(Int.self, forKey: .minimumDiskGiB)
    sha256 = try values.decodeIfPresent(String.self, forKey: .sha256)
    recipeHash = try values.decodeIfPresent(String.self, forKey: .recipeHash)
    source = try values.decodeIfPresent(ImageSource.self, forKey: .source)
    sourceSHA256 = try values.decodeIfPresent(String.self, forKey: .sourceSHA256)
    sourceSHA512 = try values.decodeIfPresent(String.self, forKey: .sourceSHA512)
    properties = try ImageProperties(from: decoder)
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(name, forKey: .name)
    try values.encode(version, forKey: .version)
    try values.encode("disk.qcow2", forKey: .disk)
    try values.encodeIfPresent(osName, forKey: .osName)
    try values.encodeIfPresent(virtualSizeBytes, forKey: .virtualSizeBytes)
    try values.encodeIfPresent(minimumDiskGiB, forKey: .minimumDiskGiB)
    try values.encodeIfPresent(sha256, forKey: .sha256)
    try values.encodeIfPresent(recipeHash, forKey: .recipeHash)
    try values.encodeIfPresent(source, forKey: .source)
    try values.encodeIfPresent(sourceSHA256, forKey: .sourceSHA256)
    try values.encodeIfPresent(sourceSHA512, forKey: .sourceSHA512)
    try properties.encode(to: encoder)
  }

  package var json: Data {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return try encoder.encode(self) + Data("\n".utf8)
    }
  }
}
