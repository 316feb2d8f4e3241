import API
import ArgumentParser
import Foundation

struct ImageCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "image", abstract: "Images that servers are made from.", subcommands: [Build.self, List.self])

  struct Build: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Build an image from its recipe. Needs root.")

    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The recipe: debian-12.") var name: String
    @Flag(help: "Do nothing where the image is there already, whatever its version.") var ifMissing = false

    func run() async throws {
      let configuration = try options.load()
      let images = ImageDirectory(path: configuration.imageDirectory.path)
      if ifMissing, images.currentVersion(of: name) != nil { return }
      let build = configuration.recipeDirectory.appendingPathComponent("build")
      guard FileManager.default.isExecutableFile(atPath: build.path) else {
        throw ValidationError("There are no recipes at \(configuration.recipeDirectory.path); see VPSD_RECIPE_DIR.")
      }
      try FileManager.default.createDirectory(atPath: images.path, withIntermediateDirectories: true)
      let process = Process()
      process.executableURL = build
      process.arguments = [name, "--output", images.path]
      try process.run()
      process.waitUntilExit()
      guard process.terminationStatus == 0 else { throw ExitCode.failure }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the images and their versions.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
      let images = ImageDirectory(path: try options.load().imageDirectory.path)
      output.list(
        images.names.flatMap { name in
          let current = images.currentVersion(of: name)
          return images.versions(of: name).map { version in
            ImageRecord(
              name: name, version: version, isCurrent: version == current,
              sizeMiB: images.sizeMiB(of: name, version: version))
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

  static let headings = ["IMAGE", "VERSION", "CURRENT", "MIB"]
  var cells: [String] { [name, version, isCurrent ? "yes" : "", "\(sizeMiB)"] }

  func write(_ writer: inout JSONWriter) {
    writer.field("image", name)
    writer.field("version", version)
    writer.field("current", isCurrent)
    writer.field("size_mib", sizeMiB)
  }
}

/// The image store on disk: `NAME/VERSION/`, and `NAME/current`, which points to the version for new servers.
struct ImageDirectory {
  let path: String

  var names: [String] { folders(in: path) }

  func versions(of name: String) -> [String] { folders(in: "\(path)/\(name)").filter { $0 != "current" } }

  func currentVersion(of name: String) -> String? {
    let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(path)/\(name)/current")
    return target.flatMap { versions(of: name).contains($0) ? $0 : nil }
  }

  func sizeMiB(of name: String, version: String) -> Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: "\(path)/\(name)/\(version)/disk.qcow2")
    return ((attributes?[.size] as? NSNumber)?.intValue ?? 0) >> 20
  }

  private func folders(in path: String) -> [String] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return entries.sorted().filter { entry in
      var isDirectory: ObjCBool = false
      return !entry.hasPrefix(".")
        && FileManager.default.fileExists(atPath: "\(path)/\(entry)", isDirectory: &isDirectory)
        && isDirectory.boolValue
    }
  }
}
