import APIClient
import ArgumentParser

struct ServerCreate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Create a server.",
    discussion: """
      Without a key the server has a root password, which is shown this once.

        vpsctl server create --name web --plan nano --os debian-12 --location us-west --ssh-key ~/.ssh/id_ed25519.pub
      """)

  @Option(help: "Its name.") var name: String
  @Option(help: "Its plan: slug, id or name.", completion: .names(of: .plan)) var plan: String
  @Option(help: "Its operating system: slug, id or name.", completion: .names(of: .operatingSystem)) var os: String
  @Option(help: "Where: code, id or name.", completion: .names(of: .location)) var location: String
  @Option(help: "Its host name; the name, if left out.") var hostname: String?
  @Option(
    name: .customLong("ssh-key"),
    help: ArgumentHelp(
      "Who may log in as root: a key's name or id, or a file with a public key, which is registered if it is not yet. More than once for more.",
      valueName: "name|file"), completion: .file())
  var sshKeys: [String] = []
  @Flag(help: "A backup every day.") var backups = false
  @Option(
    name: .customLong("label"),
    help: ArgumentHelp("A label. More than once for more.", valueName: "key=value"))
  var labels: [String] = []
  @Option(
    name: .customLong("user-data"),
    help: ArgumentHelp(
      "What its first boot is to do: a file with a cloud-config, or with a script that begins with #!. - is standard input.",
      valueName: "file"), completion: .file())
  var userData: String?
  @Flag(help: "Let nobody delete or rebuild it until that is taken back.") var deleteProtection = false
  @OptionGroup var waiting: WaitOptions
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let (labels, userData) = (try ServerExtras.labels(labels), try userData.map(ServerExtras.userData))
    let deadline = ContinuousClock.now + waiting.limit
    let session = try options.session.patient(waiting, until: deadline)
    var order = ServerOrder(
      name: name, plan: plan, os: os, location: location, hostname: hostname, sshKeys: sshKeys, backups: backups)
    if !self.labels.isEmpty { order.labels = labels }
    (order.userData, order.isDeleteProtected) = (userData, deleteProtection)
    let created = try await order.place(session) { options.tellOnce($0, Kind.server.title(of: $0)) }
    let id = created["id"]?.int ?? 0
    let title = Kind.server.title(of: created)
    if waiting.isWaiting || !options.isWhole { options.tellPassword(of: created, title) }
    guard waiting.isWaiting else { return try tell(created, "\(title) is being created.") }
    let server = try await Progress.during(
      "\(title) is being created", session, goesOn: "\(title) is created all the same: vpsctl server show \(id)"
    ) { progress in
      let server = try await session.settled(id, within: max(.seconds(1), deadline - .now))
      if waiting.waitSSH, server["status"]?.string == "active" {
        progress.say("\(title) is active, a login is not answered yet")
        try await session.answersLogins(server, deadline: deadline)
      }
      return server
    }
    // Prints the service's answer, updated by the present state of the server.
    try tell(created.updated(by: server), "\(title) is \(server["status"]?.string ?? "there").")
    guard server["status"]?.string != "error" else {
      throw Refusal(.failed, "\(title): \(server["status_reason"]?.string ?? "It could not be created.")")
    }
  }

  private func tell(_ server: JSON, _ sentence: String) throws {
    guard options.output == .table, options.columns == nil else { return try options.show(server, .server) }
    Terminal.print(sentence.escapedForTerminal)
    if let address = server["ip_address"]?.string { Terminal.print("address   \(address.escapedForTerminal)") }
    if server["status"]?.string == "active" {
      Terminal.print("log in    vpsctl server ssh \(name.escapedForTerminal)")
    }
  }
}

extension JSON {
  /// This value with the other one's values for the same members.
  fileprivate func updated(by other: JSON) -> JSON {
    guard case .object(let members) = self else { return other }
    return .object(
      members.map { member in
        Member(member.name, other[member.name].map { member.value.updated(by: $0) } ?? member.value)
      })
  }
}
