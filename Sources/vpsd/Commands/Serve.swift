import ArgumentParser

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the service.",
    discussion: "Servers go on running when it ends; `vpsd shutdown --servers` stops them too.\n\n"
      + ConfigurationReference.help)

  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let configuration = try options.load()
    try await Daemon(configuration: configuration, logger: configuration.makeLogger()).run()
  }
}
