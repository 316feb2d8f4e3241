import ArgumentParser
import Glibc

@main
struct Vpsctl: AsyncParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "vpsctl", abstract: "Virtual private servers, from the command line.",
    discussion: """
      Servers, keys, plans and all else are named by id, uuid or name, or by the beginning of a name that only one of them has. \
      Where something is destroyed, overwritten or let in, and in a file of apply, a beginning is not enough. Digits and uuids \
      are never taken for names.

      What was asked for is on standard output, everything else on standard error. On a terminal a command waits until what it \
      began is done; --no-wait does not, and --wait does elsewhere too.

      Ends with 0 when all is done, 1 when something failed, 2 when what was typed is not what the command takes, 3 when what \
      it is about is not there, 4 when the service refuses, 5 when it was not done in time, or the service had no room for it then (503, which is waited for like all else), 130 after Ctrl-C.

      VPSCTL_URL and VPSCTL_TOKEN say which service and with which token, before any context. VPSCTL_TOKEN without VPSCTL_URL is \
      for the context that VPSCTL_CONTEXT names. With nothing set, a service that runs on this machine is found by its data \
      directory.
      """,
    subcommands: [
      ServerCommand.self, BackupCommand.self, SnapshotCommand.self, SSHKeyCommand.self, TokenCommand.self,
      PlanCommand.self, OperatingSystemCommand.self, LocationCommand.self, AccountCommand.self, Events.self,
      ContextCommand.self, API.self, SSHConfig.self, Apply.self, Completion.self, Version.self, Reference.self,
    ])

  static func main() async {
    // Writing to a connection that has ended is an error like any other.
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try await asyncParseAsRoot(CommandLine.arguments.dropFirst().map(WaitOptions.plain))
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
      Terminal.flush()
    } catch {
      let ending = Ending(error)
      Terminal.flush()
      if ending.status == 0 { Terminal.print(ending.text) } else { Terminal.tell(ending.text) }
      Terminal.flush()
      Glibc.exit(ending.status)
    }
  }
}
