import APIClient
import ArgumentParser

struct ServerSCP: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scp", abstract: "Copy files from or to a server.",
    discussion: """
      Paths of the server begin with its name and a colon, and all are of one server.

        vpsctl server scp index.html web:/var/www/
      """)

  @Flag(name: .shortAndLong, help: "Folders too, with all that is in them.") var recursive = false
  @Argument(help: "What to copy, and where to at the end.", completion: .file()) var paths: [String]
  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard paths.count >= 2 else { throw ValidationError("Say what to copy, and where to.") }
    let names = Set(paths.compactMap(Self.server))
    guard names.count == 1 else { throw ValidationError("The paths of one server begin with its name and a colon.") }
  }

  func run() async throws {
    guard let name = paths.compactMap(Self.server).first else { return }
    let session = try options.session
    let login = try Login(
      // A server that is written to must be named exactly.
      try await session.find(.server, name, isExact: paths.last.flatMap(Self.server) != nil))
    let host = login.address.contains(":") ? "[\(login.address)]" : login.address
    let places = paths.map { path in
      guard let name = Self.server(path) else { return path.hasPrefix("-") ? "./\(path)" : path }
      return "\(login.user)@\(host):" + path.dropFirst(name.count + 1)
    }
    try Login.become(
      "scp", login.options + ["-P", String(login.port)] + (recursive ? ["-r"] : []) + ["--"] + places)
  }

  private static func server(_ path: String) -> String? {
    guard let colon = path.firstIndex(of: ":"), !path[..<colon].contains("/"), colon != path.startIndex else {
      return nil
    }
    return String(path[..<colon])
  }
}
