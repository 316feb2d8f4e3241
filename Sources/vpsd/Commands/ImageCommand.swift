import API
import ArgumentParser
import Foundation
import LibvirtDriver

struct ImageCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "image", abstract: "Images that servers are made from.", subcommands: [Build.self, List.self])

  struct Build: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Build an image from its recipe. Needs root.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The recipe: debian-12.") var name: String
    @Flag(help: "Do nothing where the image is there already, whatever its version.") var ifMissing = false

    func run() async throws {
      let configuration = try options.load()
      let images = ImageStore(directory: configuration.imageDirectory.path)
      if ifMissing, let version = try? images.currentVersion(of: name) {
        if output.isJSON { print(ImageRecord(name, version, in: images).json) }
        return
      }
      let build = configuration.recipeDirectory.appendingPathComponent("build")
      guard FileManager.default.isExecutableFile(atPath: build.path) else {
        throw ValidationError("There are no recipes at \(configuration.recipeDirectory.path); see VPSD_RECIPE_DIR.")
      }
      try FileManager.default.createDirectory(atPath: images.directory, withIntermediateDirectories: true)
      let process = Process()
      // Where an object is printed, it is alone on standard output.
      if output.isJSON { process.standardOutput = FileHandle.standardError }
      process.executableURL = build
      process.arguments = [name, "--output", images.directory]
      try process.run()
      process.waitUntilExit()
      guard process.terminationStatus == 0 else { throw ExitCode.failure }
      if output.isJSON { print(ImageRecord(name, try images.currentVersion(of: name), in: images).json) }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the images and their versions.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
      let images = ImageStore(directory: try options.load().imageDirectory.path)
      output.list(
        images.names.flatMap { name in
          let current = try? images.currentVersion(of: name)
          return images.versions(of: name).map { version in
            ImageRecord(name, version, isCurrent: version == current, in: images)
          }
        })
    }
  }
}

struct ImageRecord: Record {
  let name: String
  let version: String
  let isCurrent: Bool
  let sizeMiB: Int

  init(_ name: String, _ version: String, isCurrent: Bool = true, in images: ImageStore) {
    self.name = name
    self.version = version
    self.isCurrent = isCurrent
    sizeMiB = Int((images.sizeBytes(of: name, version: version) ?? 0) >> 20)
  }

  static let headings = ["IMAGE", "VERSION", "CURRENT", "MIB"]
  var cells: [String] { [name, version, isCurrent ? "yes" : "", "\(sizeMiB)"] }

  func write(_ writer: inout JSONWriter) {
    writer.field("image", name)
    writer.field("version", version)
    writer.field("current", isCurrent)
    writer.field("size_mib", sizeMiB)
  }
}
