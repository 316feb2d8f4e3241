import ArgumentParser
import Core
import Foundation
import HostImages
import SQLStore

struct ImageSourceOptions: ParsableArguments {
  @Option(help: "A file of this host.") var file: String?
  @Option(help: "An address; it is held to --sha256, or to --checksums.") var url: String?
  @Option(name: .customLong("sha256"), help: "What it must be.") var sha256: String?
  @Option(help: "The address of its publisher's list of checksums, SHA-256 or SHA-512.") var checksums: String?
  @Option(help: "The address of that list's signature, where it is not in the list; without a list, of the image's.")
  var signature: String?
  @Option(help: "The keys that may sign: a file, or an address with --fingerprint.") var keyring: String?
  @Option(help: "The key of them that must have signed.") var fingerprint: String?

  var isEmpty: Bool {
    [file, url, sha256, checksums, signature, keyring, fingerprint].allSatisfy { $0 == nil }
  }

  /// The source with absolute paths of files, because a later version may be added from another working directory.
  var source: ImageSource {
    var source = ImageSource()
    source.file = file.map(Self.whole)
    source.url = url
    source.sha256 = sha256
    source.checksums = checksums
    source.signature = signature
    source.keyring = keyring.map { $0.contains("://") ? $0 : Self.whole($0) }
    source.fingerprint = fingerprint
    return source
  }

  private static func whole(_ path: String) -> String {
    path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
  }
}

struct ImagePropertyOptions: ParsableArguments {
  @Option(help: "How it learns who it is: nocloud (cloud-init's), or vpsd as our own; nocloud, if left out.")
  var seed: String?
  @Option(help: "The account that keys and passwords are for; root, if left out.") var user: String?
  @Flag(inversion: .prefixedNo, help: "Whether QEMU's guest agent is in it.") var agent: Bool?
  @Option(help: "What starts it: bios or uefi; bios, if left out.") var firmware: String?
  @Option(help: "For which processors it is: x86_64 or aarch64; x86_64, if left out.") var architecture: String?
  @Option(help: "The smallest disk, in GiB; as large as it is, if left out.") var minimumDisk: Int?

  func check() throws {
    try requireChoice(ImageProperties.SeedFormat.self, seed, "--seed")
    try requireChoice(ImageProperties.Firmware.self, firmware, "--firmware")
    try requireChoice(ImageProperties.Architecture.self, architecture, "--architecture")
    try requireRange(1...65_536, minimumDisk, "--minimum-disk")
    try requireUser(user, "--user")
  }

  func applied(to properties: ImageProperties) -> ImageProperties {
    var properties = properties
    properties.seedFormat = seed.flatMap { .init(rawValue: $0) } ?? properties.seedFormat
    properties.defaultUser = user ?? properties.defaultUser
    properties.hasGuestAgent = agent ?? properties.hasGuestAgent
    properties.firmware = firmware.flatMap { .init(rawValue: $0) } ?? properties.firmware
    properties.architecture = architecture.flatMap { .init(rawValue: $0) } ?? properties.architecture
    return properties
  }
}

struct ImageLimitOptions: ParsableArguments {
  @Option(help: "The largest disk that is taken, in GiB.") var maximumDisk = 64
  @Option(help: "How long it may take to be fetched, in seconds.") var timeout = 21_600

  func check() throws {
    try requireRange(1...65_536, maximumDisk, "--maximum-disk")
    try requireRange(1...604_800, timeout, "--timeout")
  }

  var limits: ImageLimits {
    var limits = ImageLimits()
    limits.diskBytes = Int64(maximumDisk) << 30
    limits.sourceBytes = min(limits.sourceBytes, limits.diskBytes + limits.diskBytes / 64 + (64 << 20))
    limits.downloadTime = .seconds(timeout)
    return limits
  }
}

/// The operating system that customers see for an image.
struct ImageSystemOptions: ParsableArguments {
  @Option(help: "Offer it as this operating system, with the version: \"Ubuntu 24.04 LTS\".") var os: String?
  @Option(help: "What the system is a version of: ubuntu; told from its name, if left out.") var family: String?
  @Option(help: "Its version: 24.04; told from its name, if left out.") var osVersion: String?

  func check() throws {
    try requireName(OperatingSystem.nameRule, os, "--os")
    try requireSlug(family, "--family")
    try requireName(OperatingSystem.nameRule, osVersion, "--os-version")
    guard let os else {
      if family != nil || osVersion != nil { throw ValidationError("--os: Give the name of the operating system.") }
      return
    }
    if Slug.made(of: os) == nil { throw ValidationError("--os: No slug can be made of this name: see `vpsd os add`.") }
    if family == nil, Self.family(in: os) == nil {
      throw ValidationError("--family: Nothing of --os says it: give it.")
    }
    if osVersion == nil, Self.version(in: os) == nil {
      throw ValidationError("--os-version: Nothing of --os says it: give it.")
    }
  }

  /// Opens the database before anything slow begins, and checks the user; nil where nothing is to be offered.
  func openCatalogue(_ options: ConfigurationOptions, for user: String) async throws -> SQLStore? {
    guard let os else { return nil }
    let database = try await options.openDatabase()
    let systems = try await database.catalogue().operatingSystems
    if let system = systems.first(where: { $0.name.utf8.elementsEqual(os.utf8) }) {
      try await database.requireAccount(user, of: system)
    }
    return database
  }

  /// Returns a sentence about what was done.
  func offer(_ image: String, for user: String, from known: KnownImage?, in database: SQLStore) async throws -> String {
    guard let os else { return "" }
    let slug = Slug.made(of: os) ?? image
    let systems = try await database.catalogue().operatingSystems
    let now = SystemClock().now
    // An operating system that exists keeps its ID.
    if let system = systems.first(where: { $0.name.utf8.elementsEqual(os.utf8) }) {
      if system.imageName == image, system.isAvailable, system.username == user {
        return "Operating system \(system.id), \(system.slug), has it."
      }
      try await database.requireAccount(user, of: system)
      var change = OperatingSystemChange()
      change.imageName = image
      change.username = user
      change.isAvailable = true
      _ = try await database.updateOperatingSystem(system.id, change, at: now)
      return "Operating system \(system.id), \(system.slug), is made from it now."
    }
    let system = try await database.addOperatingSystem(
      NewOperatingSystem(
        name: os, slug: slug, family: family ?? known?.family ?? Self.family(in: os) ?? slug,
        version: osVersion ?? known?.osVersion ?? Self.version(in: os) ?? "", imageName: image,
        username: user),
      at: now)
    return "Operating system \(system.id), \(system.slug), is offered."
  }

  private static func family(in name: String) -> String? {
    name.split(separator: " ").first.flatMap { Slug.made(of: String($0)) }
  }

  private static func version(in name: String) -> String? {
    name.split(separator: " ").first { $0.utf8.first.map { (0x30...0x39).contains($0) } == true }.map(String.init)
  }
}

func requireChoice<Choice: RawRepresentable<String> & CaseIterable>(
  _ type: Choice.Type, _ text: String?, _ option: String
) throws {
  guard let text, Choice(rawValue: text) == nil else { return }
  let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
  throw ValidationError("\(option): \(text.quoted) is none of \(choices).")
}
