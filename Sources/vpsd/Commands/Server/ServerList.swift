import ArgumentParser
import Core
import SQLStore

struct ServerList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the servers of all accounts.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Option(help: "Of this account only, by its e-mail address or id.") var account: String?
  @Option(help: "Those of this status only: active, stopped, error.") var status: String?
  @Option(help: "Those at this location only.") var location: String?
  @Option(help: "Those on this host only.") var host: String?

  func validate() throws {
    guard let status, ServerStatus(plain: status) == nil else { return }
    let choices = ServerStatus.allCases.map(\.rawValue).joined(separator: ", ")
    throw ValidationError("--status: \(status.quoted) is none of \(choices).")
  }

  func run() async throws {
    let database = try await options.openDatabase()
    let catalogue = try await database.catalogue()
    var filter = ServerListingFilter()
    if let account { filter.accountID = try await Accounts(store: database).one(named: account).id }
    filter.status = status.flatMap { ServerStatus(plain: $0) }
    if let location { filter.location = try catalogue.location(named: location).code }
    if let host { filter.hostID = try await database.host(named: host).host.id }
    let wanted = filter
    try await output.list { (last: ServerRecord?, limit: Int) in
      try await database.serverListings(wanted, after: last?.listing.server.id, limit: limit).map {
        ServerRecord(listing: $0, catalogue: catalogue)
      }
    }
  }
}

extension ServerStatus {
  fileprivate init?(plain text: String) {
    guard text.isPlain(atMost: 32) else { return nil }
    self.init(rawValue: text)
  }
}
