import ArgumentParser
import Core
import Foundation

@main
struct Vpsd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vpsd", abstract: "A self-hosted service of virtual private servers.",
    discussion: """
      Ends with 0 when all is done, 1 when something failed, 3 when what was named is not there, 4 when it is there, but such \
      that this cannot be done to it, and 64 when what was typed is not what the command takes.
      """,
    version: ProgramVersion.text,
    subcommands: [
      Serve.self, Shutdown.self, TokenCommand.self, AccountCommand.self, CreditCommand.self, ServerCommand.self,
      PlanCommand.self, OperatingSystemCommand.self, LocationCommand.self, HostCommand.self, AddressCommand.self,
      NetworkCommand.self, ReverseNameCommand.self, ImageCommand.self, NotifyCommand.self, AuditCommand.self,
      Check.self, Doctor.self, BackupState.self,
      RestoreState.self, MigrateStore.self,
      ConfigCommand.self,
    ])

  /// Like the `main` of any command, but all errors are escaped sentences, which cannot forge lines in the terminal.
  static func main() async {
    do {
      var command = try parsed()
      do {
        if var command = command as? any AsyncParsableCommand {
          try await command.run()
        } else {
          try command.run()
        }
      } catch {
        throw Worded.error(error)
      }
    } catch let error as Worded {
      FileHandle.standardError.write(Data("Error: \(error)\n".utf8))
      Foundation.exit(error.status)
    } catch {
      exit(withError: error)
    }
  }

  /// Error messages repeat the arguments, so after an error these are escaped and parsed again.
  private static func parsed() throws -> any ParsableCommand {
    do {
      return try parseAsRoot()
    } catch {
      _ = try parseAsRoot(CommandLine.arguments.dropFirst().map { $0.escaped() })
      throw error
    }
  }
}
