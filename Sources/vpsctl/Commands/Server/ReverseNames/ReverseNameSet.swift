import APIClient
import ArgumentParser

struct ReverseNameSet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Give an address of a server a name, or take the default back.",
    discussion: """
      The DNS server has it within seconds; others may remember the old name for some time.

        vpsctl server rdns set web --hostname mail.example.com
        vpsctl server rdns set web --ip 2001:db8:10::1 --reset
      """)

  @OptionGroup var name: ServerName
  @Option(
    help: ArgumentHelp(
      "The address, if not the first that the server has; of an IPv6 network any in it.", valueName: "address"),
    completion: .addresses)
  var ip: String?
  @Option(help: ArgumentHelp("What it is to be called, as in mail.example.com.", valueName: "name"))
  var hostname: String?
  @Flag(help: "Call it by the default again.") var reset = false
  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard (hostname != nil) != reset else { throw ValidationError("Say one of both: --hostname NAME, or --reset.") }
  }

  func run() async throws {
    let session = try options.session
    let server = try await session.find(.server, name.server, isExact: true)
    let path = ReverseNameCommand.path(server["id"]?.int ?? 0)
    let address = if let ip { ip } else { try await first(at: path, of: server, session) }
    let body: JSON = ["ip_address": .string(address), "ptr": hostname.map { .string($0) } ?? .null]
    let changed = try await OptionErrors.naming {
      try await session.client.request("PUT", path, body: body).json()
    }
    let title = Kind.reverseName.name(of: changed)
    let said = changed["ptr"]?.string.map { "\(title) is called \($0)." } ?? "\(title) has no name."
    options.tell(said, changed, .reverseName)
  }

  private func first(at path: String, of server: JSON, _ session: Session) async throws -> String {
    guard let address = try await session.client.list(path).first?["ip_address"]?.string else {
      throw Refusal(.refused, "\(Kind.server.title(of: server)) has no address yet.")
    }
    return address
  }
}

extension CompletionKind {
  /// The addresses of the server that was typed before.
  fileprivate static var addresses: CompletionKind {
    .custom { words, _, _ in
      guard let place = words.lastIndex(of: "set"), words.indices.contains(place + 1) else { return [] }
      return await answers(to: words) { session in
        let id = try await session.id(.server, words[place + 1], isExact: true)
        return try await session.client.list(ReverseNameCommand.path(id)).compactMap { $0["ip_address"]?.string }
      }.filter { $0.utf8.count <= 45 && $0.utf8.allSatisfy { "0123456789abcdef.:".utf8.contains($0) } }
    }
  }
}
