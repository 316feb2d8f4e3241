import ArgumentParser

struct ContextCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "context", abstract: "The services that you use, and the tokens for them.",
    discussion: """
      A file .vpsctl with the name of a context says which one is used in its folder and below; both are to be your own. Contexts are files of their \
      own in $XDG_CONFIG_HOME/vpsctl/contexts, which nobody else may read.
      """,
    subcommands: [ContextCreate.self, ContextUse.self, ContextList.self, ContextDelete.self])
}
