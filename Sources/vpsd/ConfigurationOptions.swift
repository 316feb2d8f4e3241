import ArgumentParser
import Core
import Foundation

/// The options of every command that needs to know the configuration.
struct ConfigurationOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("The YAML file to take the configuration from.", valueName: "file"))
  var config: String?

  @Option(name: .long, help: ArgumentHelp("What runs the virtual machines: libvirt or simulated.", valueName: "name"))
  var driver: String?

  /// Warnings go to standard error, so that programs can parse the command's output.
  func load() throws -> Configuration {
    var options: [String: String] = [:]
    options["driver"] = driver
    let (configuration, warnings) = try ConfigurationLoader.ofThisProcess(file: config, options: options).load()
    for warning in warnings {
      FileHandle.standardError.write(Data("warning: \(warning.escaped())\n".utf8))
    }
    return configuration
  }
}
