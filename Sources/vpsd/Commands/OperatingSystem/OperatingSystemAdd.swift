import ArgumentParser
import Core
import Foundation
import HostImages
import SQLStore

struct OperatingSystemAdd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Offer another operating system; customers see it within a second.",
    discussion: "Servers are made from its image: see `vpsd image`.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "What customers read, with the version: \"Debian 12\".") var name: String
  @Option(help: "Its name in programs; made of the name, if left out.") var slug: String?
  @Option(help: "What it is a version of: debian.") var family: String
  @Option(name: .customLong("version"), help: "The version: 12.") var systemVersion: String
  @Option(help: "The image that servers are made from; the one with the slug's name, if left out.") var image: String?

  @Option(help: "The account that keys and passwords are for; root, if left out.") var username: String?

  func validate() throws {
    try requireUser(username, "--username")
    try requireName(OperatingSystem.nameRule, name, "The name")
    try requireSlug(slug, "--slug")
    try requireSlug(family, "--family")
    try requireName(OperatingSystem.nameRule, systemVersion, "--version")
    try requireSlug(image, "--image")
    if slug == nil, Slug.made(of: name) == nil {
      throw ValidationError("--slug: None can be made of this name: give one.")
    }
  }

  func run() async throws {
    let slug = slug ?? Slug.made(of: name) ?? ""
    let configuration = try options.load()
    let system = try await options.openDatabase().addOperatingSystem(
      NewOperatingSystem(
        name: name, slug: slug, family: family, version: systemVersion, imageName: image ?? slug,
        username: username ?? OperatingSystem.standardUsername),
      at: SystemClock().now)
    let images = ImageStore(directory: configuration.imageDirectory.path)
    let isThere = configuration.driver != .libvirt || (try? images.currentVersion(of: system.imageName)) != nil
    output.tell(
      "Operating system \(system.id), \(system.slug), is offered, from the image \(system.imageName)"
        + (isThere ? "." : ", which is not there yet: see `vpsd image`."),
      OperatingSystemRecord(system: system))
  }
}
