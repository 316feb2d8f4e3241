import API
import ArgumentParser
import Core
import SQLStore

struct OperatingSystemCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "os", abstract: "The operating systems that servers can have.",
    subcommands: [
      OperatingSystemAdd.self, OperatingSystemUpdate.self, OperatingSystemRetire.self, OperatingSystemList.self,
    ])
}

struct OperatingSystemList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List all operating systems, retired ones too.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    output.list(try await options.openDatabase().catalogue().operatingSystems.map(OperatingSystemRecord.init))
  }
}

struct OperatingSystemRecord: Record {
  let system: OperatingSystem

  static let headings = ["ID", "SLUG", "NAME", "FAMILY", "VERSION", "IMAGE", "STATE"]

  var cells: [String] {
    [
      "\(system.id)", system.slug, system.name, system.family, system.version, system.imageName,
      system.isAvailable ? "available" : "retired",
    ]
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("id", system.id.value)
    writer.field("uuid", system.uuid)
    writer.field("name", system.name)
    writer.field("slug", system.slug)
    writer.field("family", system.family)
    writer.field("version", system.version)
    writer.field("image", system.imageName)
    writer.field("available", system.isAvailable)
    writer.field("username", system.username)
  }
}
