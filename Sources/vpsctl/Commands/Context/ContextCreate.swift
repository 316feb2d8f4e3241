import ArgumentParser
import FoundationEssentials
import Glibc

struct ContextCreate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Make a context, and use it if it is the first.",
    discussion: "The token is asked for, or read from standard input, or is what a command prints each time.")

  @Argument(help: "Its name.") var name: String
  @Option(help: "Where the service is, as in https://vps.example.com.") var url: String
  @Flag(name: .customLong("token-stdin"), help: "Read the token from standard input.") var isTokenOnInput = false
  @Option(name: .customLong("token-command"), help: "A command that prints the token, as in \"pass show vps\".")
  var tokenCommand: String?
  @OptionGroup var options: OutputOptions

  func run() async throws {
    try ContextStore.requireName(name)
    guard let address = URL(string: url), ["http", "https"].contains(address.scheme), address.host != nil,
      !url.contains(where: \.isNewline)
    else { throw Refusal(.refused, "--url: \"\(url)\" is no address such as https://vps.example.com.") }
    guard tokenCommand?.contains(where: \.isNewline) != true else {
      throw Refusal(.refused, "--token-command: it is one line.")
    }
    guard access(ContextStore.path(name), F_OK) != 0 else {
      throw Refusal(.refused, "name: there is a context \(name) already: vpsctl context delete \(name)")
    }
    let token = tokenCommand == nil ? try readToken() : nil
    let isFirst = ContextStore.names().isEmpty
    try SecretFile.write(
      Context(url: url, token: token, tokenCommand: tokenCommand).text, to: ContextStore.path(name))
    if isFirst { try SecretFile.write(name + "\n", to: ContextStore.folder + "/current") }
    if options.output == .table { Terminal.print("The context \(name) is made\(isFirst ? ", and in use" : "").") }
    if options.output == .name { Terminal.print(name) }
  }

  private func readToken() throws -> String {
    guard isTokenOnInput || Terminal.isInput else {
      throw Refusal(.usage, "Say where the token is: --token-stdin or --token-command.")
    }
    let text: String?
    if isTokenOnInput {
      text = readLine()
    } else {
      var old = termios()
      tcgetattr(STDIN_FILENO, &old)
      var silent = old
      // Ctrl-C is read as part of a token, which is then refused: as a signal it would leave the terminal without echo.
      silent.c_lflag &= ~tcflag_t(ECHO | ISIG)
      tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
      defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &old) }
      text = Terminal.ask("Token (not shown): ")
      Terminal.tell(" ")
    }
    guard let token = text?.trimmed, !token.isEmpty, token.utf8.allSatisfy({ (33...126).contains($0) }) else {
      throw Refusal(.refused, "That is no token.")
    }
    return token
  }
}
