import APIClient
import ArgumentParser

struct SSHConfig: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ssh-config",
    abstract: "Blocks for ~/.ssh/config, so that ssh, scp and rsync know the servers by name.",
    discussion: "  vpsctl ssh-config > ~/.ssh/vpsctl.config    # and in ~/.ssh/config: Include vpsctl.config")

  @Option(help: "What names begin with.") var prefix = ""
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let servers = try await options.session.client.list(Kind.server.path)
    guard options.output == .table else { return try options.list(servers, .server) }
    var seen: Set<String> = []
    for server in servers {
      if let reason = Login.takenPort(of: server) { Terminal.tell(reason.escapedForTerminal) }
      guard let login = try? Login(server) else { continue }
      // A second server with the same name gets its ID as a suffix.
      let isPlain = login.name.utf8.allSatisfy {
        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45
      }
      guard isPlain, !login.name.isEmpty else { continue }
      let name = seen.insert(login.name).inserted ? login.name : "\(login.name)-\(server["id"]?.int ?? 0)"
      Terminal.write(
        """
        Host \(prefix)\(name)
          HostName \(login.address)
          Port \(login.port)
          User \(login.user)
          HostKeyAlias \(login.alias)
          UserKnownHostsFile \(Login.knownHosts)
          HashKnownHosts no
          StrictHostKeyChecking accept-new


        """)
    }
  }

  func validate() throws {
    guard prefix.utf8.allSatisfy({ (48...57).contains($0) || (97...122).contains($0) || [45, 46, 95].contains($0) })
    else {
      throw ValidationError("--prefix: small letters, digits, - , _ and dots.")
    }
  }
}
