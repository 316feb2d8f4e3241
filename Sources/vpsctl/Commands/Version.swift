import APIClient
import ArgumentParser

struct Version: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "version", abstract: "Say which version this is.")

  @Option(name: .shortAndLong, help: "In which form to tell: table, json, yaml, or name.") var output: OutputForm =
    .table

  func run() throws {
    let version: JSON = ["name": "vpsctl", "version": .string(Vpsctl.version), "api": "v1"]
    switch output {
    case .table: Terminal.print("vpsctl \(Vpsctl.version), for the API v1")
    case .json: Terminal.print(version.prettyText)
    case .yaml: Terminal.write(version.yaml)
    case .name: Terminal.print(Vpsctl.version)
    }
  }
}
