import APIClient
import ArgumentParser

struct ServerSSH: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ssh", abstract: "Log in to a server, or run a command on it.",
    discussion: """
      Ends as ssh ends. The server's key is taken at the first login, and is asked for at every other, by the server and not by \
      its address, which another one may have had. What comes after the server is for ssh; a -- before it may be left out.

        vpsctl server ssh web -A uptime
      """)

  @Option(name: .shortAndLong, help: "Who to log in as, in place of the server's own user.") var user: String?
  @OptionGroup var name: ServerName
  @Argument(parsing: .captureForPassthrough, help: "Options of ssh, and a command.") var arguments: [String] = []
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let session = try options.session
    let id = try await session.id(.server, name.server)
    let server = try await session.get("/servers/\(id)/")
    let login = try Login(server)
    guard server["status"]?.string == "active" else {
      throw Refusal(.refused, "\(Kind.server.title(of: server)) is \(server["status"]?.string ?? "not active").")
    }
    // Options of ssh come before the command.
    var own: [String] = []
    var command = arguments[...]
    if command.first == "--" { command.removeFirst() }
    while let first = command.first, first.hasPrefix("-") {
      own.append(command.removeFirst())
      if Self.takesValue(first), !command.isEmpty { own.append(command.removeFirst()) }
    }
    try Login.become(
      "ssh",
      login.options + ["-p", String(login.port), "-l", user ?? login.user] + own + ["--", login.address] + command)
  }

  private static func takesValue(_ option: String) -> Bool {
    option.count == 2 && "BbcDEeFIiJLlmOopQRSWw".contains(option.last ?? "-")
  }
}
