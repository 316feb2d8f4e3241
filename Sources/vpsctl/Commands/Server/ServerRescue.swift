import APIClient
import ArgumentParser

struct ServerRescue: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rescue", abstract: "Boot the rescue system, with the server's disk beside it, or leave it.",
    discussion: """
      The server's disk is /dev/vdc there. Without a key the rescue system has a root password, which is shown this once. With \
      --off the server is as it was.

        vpsctl server rescue web --ssh-key ~/.ssh/id_ed25519.pub
        vpsctl server rescue web --off
      """)

  @OptionGroup var name: ServerName
  @Option(
    name: .customLong("ssh-key"),
    help: ArgumentHelp("Who may log in as root there: a key's name or id, or a file.", valueName: "name|file"),
    completion: .file())
  var sshKeys: [String] = []
  @Flag(help: "Leave it.") var off = false
  @OptionGroup var waiting: WaitOptions
  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard !off || sshKeys.isEmpty else { throw ValidationError("Give either --off or --ssh-key.") }
  }

  func run() async throws {
    let session = try options.session
    let server = try await session.find(.server, name.server, isExact: true)
    Login.forget(server)
    guard !off else {
      return try await ServerAction(
        path: "rescue/", method: "DELETE", kinds: ["leave_rescue"], opposite: "rescue",
        doing: "leaving the rescue system"
      ).perform(on: server, session, waiting, options)
    }
    let keys = try await SSHKeyChoice.of(sshKeys, session)
    let errors = keys.compactMap(\.error)
    guard errors.isEmpty else { throw Refusal(.refused, errors.map(OptionErrors.line)) }
    var ids: [JSON] = []
    for key in keys { ids.append(try await key.registered(session)) }
    var body: JSON = [:]
    if !ids.isEmpty { body["ssh_keys"] = .array(ids) }
    try await ServerAction(
      path: "rescue/", body: body, kinds: ["rescue"], doing: "booting the rescue system", isToldOnce: ids.isEmpty
    ).perform(on: server, session, waiting, options)
  }
}
