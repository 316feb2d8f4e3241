import ArgumentParser

/// `vpsd config`: the configuration with which the daemon would run.
struct ConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Print the configuration that is in effect, as YAML.",
    discussion: ConfigurationReference.help)

  @OptionGroup var options: ConfigurationOptions

  @Flag(name: .long, help: "Print the tables of all keys instead, as Markdown.")
  var table = false

  @Flag(name: .long, help: "Print a file instead in which every key is explained, and none is set.")
  var example = false

  func run() async throws {
    if example {
      print(ConfigurationReference.example, terminator: "")
    } else if table {
      print(ConfigurationReference.markdown)
      print("\n" + ConfigurationReference.locationMarkdown)
    } else {
      print(try options.load().yaml(), terminator: "")
    }
  }
}
