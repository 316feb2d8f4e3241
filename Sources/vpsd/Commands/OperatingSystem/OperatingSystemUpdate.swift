import ArgumentParser
import Core
import SQLStore

struct OperatingSystemUpdate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update", abstract: "Change an operating system; what is left out stays as it is.",
    discussion: "Another image is for new disks: servers keep the one that theirs rests on.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "Its id, uuid, slug or name.") var system: String
  @Option(help: "What customers read, with the version.") var name: String?
  @Option(help: "Its name in programs.") var slug: String?
  @Option(help: "What it is a version of: debian.") var family: String?
  @Option(name: .customLong("version"), help: "The version: 12.") var systemVersion: String?
  @Option(help: "The image that servers are made from.") var image: String?
  @Option(help: "The account that keys and passwords are for.") var username: String?
  @Flag(inversion: .prefixedNo, help: "Whether new disks can have it.") var available: Bool?

  func validate() throws {
    try requireUser(username, "--username")
    try requireName(OperatingSystem.nameRule, name, "--name")
    try requireSlug(slug, "--slug")
    try requireSlug(family, "--family")
    try requireName(OperatingSystem.nameRule, systemVersion, "--version")
    try requireSlug(image, "--image")
  }

  func run() async throws {
    var change = OperatingSystemChange()
    change.name = name
    change.slug = slug
    change.family = family
    change.version = systemVersion
    change.imageName = image
    change.isAvailable = available
    change.username = username
    let changed = try await options.change(system, change)
    output.tell(
      "Operating system \(changed.id), \(changed.slug), is changed.", OperatingSystemRecord(system: changed))
  }
}

struct OperatingSystemRetire: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retire", abstract: "Offer an operating system no more. Servers that have it go on.",
    discussion: "`vpsd os update NAME --available` offers it again.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "Its id, uuid, slug or name.") var system: String

  func run() async throws {
    var change = OperatingSystemChange()
    change.isAvailable = false
    let retired = try await options.change(system, change)
    output.tell(
      "Operating system \(retired.id), \(retired.slug), is for no new disk.", OperatingSystemRecord(system: retired))
  }
}

extension ConfigurationOptions {
  fileprivate func change(_ name: String, _ change: OperatingSystemChange) async throws -> OperatingSystem {
    let database = try await openDatabase()
    let system = try await database.catalogue().operatingSystem(named: name)
    if let username = change.username { try await database.requireAccount(username, of: system) }
    let changed = try await database.updateOperatingSystem(system.id, change, at: SystemClock().now)
    guard let changed else { throw Refusal.noSuch("There is no operating system \(system.id) any more.") }
    return changed
  }
}

extension SQLStore {
  /// Throws where existing servers of the system have another account: their customers are shown the system's account.
  func requireAccount(_ username: String, of system: OperatingSystem) async throws {
    if username.utf8.elementsEqual(system.username.utf8) { return }
    guard try await serversThatAreNotGone().contains(where: { $0.operatingSystemID == system.id }) else { return }
    throw Refusal.refused(
      "Servers have \(system.name), and the account \(system.username) in it: offer the one with \(username) by another name."
    )
  }

  func serversThatAreNotGone() async throws -> [Server] {
    var servers: [Server] = []
    while true {
      let listings = try await serverListings(ServerListingFilter(), after: servers.last?.id, limit: 500)
      servers += listings.map(\.server)
      if listings.count < 500 { return servers }
    }
  }
}
