import API
import ArgumentParser
import Core
import SQLStore

extension AddressCommand {
  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Give a server one more address, which its guest uses at once.",
      discussion: """
        Without an address, the next one of the pool of its location. A guest that does not answer has it from its next start on.
        """)

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The server's id, uuid or name.") var server: String
    @Argument(help: "The address, of the pool; of an IPv6 pool of networks any in the network.") var address: String?
    @Option(help: "Of which family the next one is: 4 or 6.") var family: Int?
    @Flag(help: "Even if another account has released it within `address_rest`.") var atOnce = false

    func validate() throws {
      if let family, ServerAddress.Family(rawValue: family) == nil { throw ValidationError("--family: 4 or 6.") }
      guard address == nil || family == nil else { throw ValidationError("An address says its family itself.") }
      guard !atOnce || address != nil else { throw ValidationError("--at-once: of which address?") }
      if let address, ServerAddress(address) == nil { throw ValidationError("\(address.quoted): no IP address.") }
    }

    func run() async throws {
      let configuration = try options.load()
      let database = try await options.openDatabase(of: configuration)
      let found = try await database.server(named: server).server
      try configuration.requireSeveralAddresses(at: found.location)
      let wanted: WantedAddress =
        if let address = address.flatMap({ ServerAddress($0) }) {
          .exactly(address, rested: atOnce ? .zero : .seconds(configuration.addressRest))
        } else {
          .next(family.flatMap(ServerAddress.Family.init) ?? .ipv4)
        }
      let change = try await database.addAddress(
        wanted, to: found.id, pools: configuration.addressPools[found.location],
        limit: configuration.addressesPerServer, at: SystemClock().now)
      guard let change else { throw Refusal.refused("The server \(found.id) is being deleted.") }
      let record = try await configuration.outcome(of: change, on: found.id, isAdded: true, database)
      output.tell("The server \(found.id) has \(change.address)." + record.addition, record)
    }
  }

  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Take an address from a server, which keeps one of IPv4.",
      discussion: "It is nobody else's until the host has let go of it. Without the first one, the next is the first.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The server's id, uuid or name.") var server: String
    @Argument(help: "The address, or for an IPv6 network any in it.") var address: String

    func validate() throws {
      guard ServerAddress(address) != nil else { throw ValidationError("\(address.quoted): no IP address.") }
    }

    func run() async throws {
      guard let address = ServerAddress(address) else { return }
      let configuration = try options.load()
      let database = try await options.openDatabase(of: configuration)
      let id = try await database.server(named: server).server.id
      guard let change = try await database.removeAddress(address, from: id, at: SystemClock().now) else {
        throw Refusal.refused("The server \(id) is being deleted.")
      }
      let record = try await configuration.outcome(of: change, on: id, isAdded: false, database)
      output.tell("The server \(id) has \(change.address) no more." + record.addition, record)
    }
  }

  struct Reserve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Keep addresses of the pools from being given to anybody.",
      discussion: "Whoever has one keeps it; it is given to nobody after that.")

    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The addresses; all of them, or none.") var addresses: [String]
    @Flag(help: "Let them be given again.") var release = false

    func validate() throws {
      for address in addresses where ServerAddress(address) == nil {
        throw ValidationError("\(address.quoted): no IP address.")
      }
    }

    func run() async throws {
      let configuration = try options.load()
      let (database, pools) = (try await options.openDatabase(of: configuration), configuration.addressPools)
      let locations = try await database.catalogue().locations.map(\.code)
      let named = addresses.compactMap { ServerAddress($0) }
      let found = named.map { address in
        locations.lazy.compactMap { code in pools[code].gift(for: address).map { (address: $0, location: code) } }.first
      }
      if release {
        // An address that is in no pool any more is used as it was typed.
        let given = zip(named, found).map { $1?.address ?? $0 }
        try await database.endReservation(of: given, at: SystemClock().now)
        for address in given { print("\(address) may be given again.") }
        return
      }
      for (address, found) in zip(named, found) where found == nil {
        throw Refusal.refused("\(address) is in no pool, or left out of it (reserved_addresses).")
      }
      let reserved = found.compactMap(\.self)
      try await database.reserveAddresses(
        reserved.map(\.address), at: reserved.map(\.location), at: SystemClock().now)
      for (address, _) in reserved { print("\(address) is reserved.") }
    }
  }
}

extension Configuration {
  /// A machine in QEMU's user-mode network has a single address.
  fileprivate func requireSeveralAddresses(at location: String) throws {
    guard driver == .libvirt, network == .loopback, locations[location]?.driver == nil else { return }
    throw Refusal.refused(
      "The servers at \(location) are at this host's loopback, where each has one address: see `network`.")
  }

  /// How long a command waits until the service has carried it out.
  private static let patience = Duration.seconds(15)

  fileprivate func outcome(
    of change: AddressChange, on server: ID<Server>, isAdded: Bool, _ database: SQLStore
  ) async throws -> AddressChangeRecord {
    var record = AddressChangeRecord(server: server, address: change.address, isAdded: isAdded)
    guard ProcessLock.isServed(path: DataDirectory(dataDirectory).lock) else {
      record.reason = "That begins when the service runs."
      return record
    }
    let deadline = ContinuousClock.now + Self.patience
    repeat {
      // A server that is deleted meanwhile takes its operation along.
      guard let operation = try await database.operation(change.operationID) else { return record }
      if operation.finishedAt != nil {
        record.isApplied = operation.state == .succeeded
        record.reason = operation.customerReason
        return record
      }
      try await Task.sleep(for: .milliseconds(100))
    } while ContinuousClock.now < deadline
    record.reason = "Its host and its guest are still to learn of it."
    return record
  }
}

private struct AddressChangeRecord: Record {
  let server: ID<Server>
  let address: ServerAddress
  let isAdded: Bool
  /// Whether host and guest have applied it.
  var isApplied = false
  /// Why it is not applied yet.
  var reason: String?

  var addition: String { reason.map { " " + $0.escaped() } ?? "" }

  static let headings = ["SERVER", "ADDRESS", "APPLIED", "REASON"]
  var cells: [String] { ["\(server)", address.description, isApplied ? "yes" : "no", reason ?? ""] }

  func write(_ writer: inout JSONWriter) {
    writer.field("server_id", server.value)
    writer.field("address", address.description)
    writer.field("added", isAdded)
    writer.field("applied", isApplied)
    writer.field("reason", reason)
  }
}
