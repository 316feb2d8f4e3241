import APIClient
import ArgumentParser

struct ContextList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List contexts, without their tokens.", aliases: ["ls"])

  @OptionGroup var options: OutputOptions

  func run() async throws {
    let current = try ContextStore.current()
    let contexts = ContextStore.names().map { name -> JSON in
      let context = try? ContextStore.read(name)
      return [
        "name": .string(name), "current": .string(name == current ? "*" : ""),
        "url": .string(context?.url ?? "(cannot be read)"),
        "token": .string(context?.tokenCommand != nil ? "by a command" : context?.token != nil ? "kept" : "none"),
      ]
    }
    try options.list(contexts, .context)
  }
}
