import APIClient
import ArgumentParser

struct ServerRebuild: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rebuild", abstract: "Give a server a new disk: all that is on it is lost.",
    discussion:
      "Id, names, address, plan and copies stay. Without --os it keeps its system, without --ssh-key its keys, without --user-data what its first boot did."
  )

  @OptionGroup var name: ServerName
  @Option(help: "The operating system: slug, id or name.", completion: .names(of: .operatingSystem)) var os: String?
  @Option(
    name: .customLong("ssh-key"),
    help: ArgumentHelp("Who may log in, in place of who might: a key's name or id, or a file.", valueName: "name|file"),
    completion: .file())
  var sshKeys: [String] = []
  @Option(
    name: .customLong("user-data"),
    help: ArgumentHelp(
      "What its first boot is to do, in place of what it was: a file with a cloud-config or a script; - is standard input.",
      valueName: "file"), completion: .file())
  var userData: String?
  @Flag(name: .shortAndLong, help: "Do not ask for the name.") var yes = false
  @OptionGroup var waiting: WaitOptions
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let userData = try userData.map(ServerExtras.userData)
    let session = try options.session
    let server = try await session.find(.server, name.server, isExact: true)
    var body: JSON = [:]
    if let os { body["os_id"] = try await session.choice("--os (os_id)", .operatingSystem, os, isExact: true) }
    body["user_data"] = userData.map { .string($0) }
    let keys = try await SSHKeyChoice.of(sshKeys, session)
    let errors = keys.compactMap(\.error)
    guard errors.isEmpty else { throw Refusal(.refused, errors.map(OptionErrors.line)) }
    try Session.confirm(
      "All that is on the disk of \(Kind.server.title(of: server)) is lost.", by: Kind.server.name(of: server),
      isConfirmed: yes)
    var ids: [JSON] = []
    for key in keys { ids.append(try await key.registered(session)) }
    if !ids.isEmpty { body["ssh_keys"] = .array(ids) }
    Login.forget(server)
    try await ServerAction(path: "rebuild/", body: body, kinds: ["rebuild"], doing: "being rebuilt", isToldOnce: true)
      .perform(on: server, session, waiting, options)
  }
}
