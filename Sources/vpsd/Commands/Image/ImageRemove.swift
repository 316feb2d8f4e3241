import API
import ArgumentParser
import Core
import Foundation
import HostImages
import SQLStore

struct ImageRemove: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Remove an image, or one version of it, that no server is made from.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "Its name.") var name: String
  @Option(name: .customLong("version"), help: "This version only.") var imageVersion: String?

  func validate() throws {
    try requireSlug(name, "The name")
    if let imageVersion, imageVersion.hasPrefix(".") || imageVersion.contains("/") {
      throw ValidationError("--version: \(imageVersion.quoted) is no version.")
    }
  }

  func run() async throws {
    let configuration = try options.load()
    let database = try await options.databaseOfServers(configuration)
    if imageVersion == nil {
      let offered = try await database.catalogue().operatingSystems.filter { $0.imageName == name && $0.isAvailable }
      if let system = offered.first {
        throw Refusal.refused("\(system.name) is offered, and made from \(name): retire it first (`vpsd os retire`).")
      }
    }
    let removal = ImageRemoval(store: configuration.images, use: try await configuration.imageUse(database))
    let removed = try imageVersion.map { [try removal.removeVersion($0, of: name)] } ?? removal.remove(name)
    if output.isJSON {
      output.list(removed.map(RemovedImageRecord.init))
    } else {
      print("\(removed.count) version(s) of \(name.escaped()) are removed.")
    }
  }
}

struct ImagePrune: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune", abstract: "Remove all versions of images that no server is made from and no new one has.",
    discussion: """
      Copies of disks stand alone and need none. What was the version for new servers until less than an hour ago stays: a \
      server may be about to be made from it.
      """)

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let configuration = try options.load()
    let use = try await configuration.imageUse(await options.databaseOfServers(configuration))
    let removed = try ImageRemoval(store: configuration.images, use: use).prune(now: Date())
    if output.isJSON || !removed.isEmpty {
      output.list(removed.map(RemovedImageRecord.init))
    } else {
      print("There is nothing to be removed.")
    }
  }
}

struct RemovedImageRecord: Record {
  let removed: ImageRemoval.Version

  static let headings = ["REMOVED", "VERSION"]
  var cells: [String] { [removed.name, removed.version] }

  func write(_ writer: inout JSONWriter) {
    writer.field("image", removed.name)
    writer.field("version", removed.version)
  }
}

extension ConfigurationOptions {
  /// Refuses a data directory without a database: with it, no image would seem to be in use.
  fileprivate func databaseOfServers(_ configuration: Configuration) async throws -> SQLStore {
    let path = DataDirectory(configuration.dataDirectory).database
    guard configuration.database != nil || FileManager.default.fileExists(atPath: path) else {
      throw Refusal.refused(
        "There is no database at \(path), and so nobody knows what servers need: nothing is removed. "
          + "Set data_dir to that of the service.")
    }
    return try await openDatabase()
  }
}

extension Configuration {
  fileprivate func imageUse(_ database: SQLStore) async throws -> ImageUse {
    var use = ImageUse(
      serverFolders: dataDirectory.appendingPathComponent("servers").path,
      of: StoreUser(installation: try await database.installationID(), dataDirectory: dataDirectory.path))
    use.versionsOfServers = Set(try await database.serversThatAreNotGone().compactMap(\.machine.imageVersion))
    return use
  }
}
