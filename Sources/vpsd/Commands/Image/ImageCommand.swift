import ArgumentParser
import Core
import Foundation
import HostImages
import LibvirtDriver
import SQLStore

struct ImageCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "image", abstract: "Images that servers are made from.",
    subcommands: [
      ImageAdd.self, ImageUpdate.self, ImageBuild.self, ImageList.self, ImageShow.self, ImageRemove.self,
      ImagePrune.self,
    ])
}

struct ImageBuild: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build", abstract: "Build an image from its recipe. Needs root.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The recipe: debian-12.") var name: String
  @Flag(help: "Do nothing where the image is there already, whatever its version.") var ifMissing = false
  @Flag(help: "Make of it what containers are made from, too: for locations on an Incus.") var containers = false

  func run() async throws {
    let configuration = try options.load()
    let images = configuration.images
    if !ifMissing || (try? images.currentVersion(of: name)) == nil {
      try images.makeDirectory()
      try run("build", [name, "--output", images.directory], configuration)
    }
    let version = try images.currentVersion(of: name)
    if containers, images.containerArchive(of: name, version: version) == nil {
      try run("container", ["\(images.directory)/\(name)/\(version)"], configuration)
    }
    if output.isJSON { print(ImageRecord(name, version, in: images).json) }
  }

  private func run(_ recipe: String, _ arguments: [String], _ configuration: Configuration) throws {
    let program = configuration.recipeDirectory.appendingPathComponent(recipe)
    guard FileManager.default.isExecutableFile(atPath: program.path) else {
      throw ValidationError("There are no recipes at \(configuration.recipeDirectory.path); see VPSD_RECIPE_DIR.")
    }
    let process = Process()
    // With --json, standard output contains nothing but the object.
    if output.isJSON { process.standardOutput = FileHandle.standardError }
    process.executableURL = program
    process.arguments = arguments
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw ExitCode.failure }
  }
}

struct ImageList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the images and their versions.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Flag(help: "Those whose publishers are known instead: `vpsd image add NAME` takes one.") var known = false

  func run() async throws {
    let configuration = try options.load()
    if known {
      return output.list(
        try KnownImage.names(in: configuration.recipeDirectory).compactMap { name in
          try KnownImage.named(name, in: configuration.recipeDirectory).map { KnownImageRecord(name: name, image: $0) }
        })
    }
    let (images, templates) = (configuration.images, configuration.templates)
    output.list(
      images.names.flatMap { name in
        let current = try? images.currentVersion(of: name)
        return images.versions(of: name).map { version in
          ImageRecord(name, version, isCurrent: version == current, in: images, templates: templates)
        }
      })
  }
}

struct ImageShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "Show all that is known of an image.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "Its name.") var name: String
  @Option(name: .customLong("version"), help: "Another version than the one that new servers have.")
  var imageVersion: String?

  func run() async throws {
    let configuration = try options.load()
    let images = configuration.images
    let current = try? images.currentVersion(of: name)
    guard let version = imageVersion ?? current, images.versions(of: name).contains(version) else {
      throw Refusal.noSuch(
        "There is no \(imageVersion.map { "version \($0.quoted) of an " } ?? "")image \(name.quoted).")
    }
    output.show(
      ImageRecord(
        name, version, isCurrent: version == current, in: images, templates: configuration.templates))
  }
}

extension Configuration {
  var images: ImageStore { ImageStore(directory: imageDirectory.path) }
  fileprivate var templates: [ListedTemplate] { ListedTemplate.all(dataDirectory: dataDirectory.path) }

  /// Marks the store as used by this installation. Without an installation there are no servers.
  func markImages() async throws {
    guard let installation = try await installationID() else { return }
    try StoreUser(installation: installation, dataDirectory: dataDirectory.path).mark(images)
  }
}
