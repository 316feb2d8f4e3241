import API
import ArgumentParser
import Core
import SQLStore

struct LocationCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "location", abstract: "The locations that customers choose from.",
    subcommands: [LocationAdd.self, LocationUpdate.self, LocationList.self])
}

struct LocationList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List all locations.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    output.list(try await options.openDatabase().catalogue().locations.map(LocationRecord.init))
  }
}

struct LocationRecord: Record {
  let location: Location

  static let headings = ["ID", "CODE", "NAME", "COUNTRY", "STATE"]

  var cells: [String] {
    [
      "\(location.id)", location.code, location.name, "\(location.countryCode) (\(location.countryName))",
      location.isActive ? "active" : "closed",
    ]
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("id", location.id.value)
    writer.field("code", location.code)
    writer.field("name", location.name)
    writer.field("country_code", location.countryCode)
    writer.field("country_name", location.countryName)
    writer.field("is_active", location.isActive)
  }
}

struct LocationAdd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Offer another location; customers see it within a second.",
    discussion: """
      Its servers are on the hosts that `locations` of the configuration gives it, and where it gives none, on those of all \
      locations without their own. No plan is offered there before `vpsd plan update --locations` says so.
      """)

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "What programs and the configuration call it, for good: us-west.") var code: String
  @Option(help: "What customers read: \"US West\".") var name: String
  @Option(help: "ISO 3166-1 alpha-2: US.") var countryCode: String
  @Option(help: "The country's name.") var countryName: String

  func validate() throws {
    try requireSlug(code, "The code")
    if Int64(code) != nil { throw ValidationError("The code: A number would be taken for an id.") }
    try requireName(Location.nameRule, name, "--name")
    try requireCountryCode(countryCode)
    try requireName(Location.nameRule, countryName, "--country-name")
  }

  func run() async throws {
    let location = try await options.openDatabase().addLocation(
      NewLocation(code: code, name: name, countryCode: countryCode, countryName: countryName), at: SystemClock().now)
    output.tell("Location \(location.id), \(location.code), is offered.", LocationRecord(location: location))
  }
}

struct LocationUpdate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update", abstract: "Change a location; what is left out stays as it is.",
    discussion: "With --no-active it is for no new server. Servers that are there go on.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The location's id, code or name.") var location: String
  @Option(help: "What customers read.") var name: String?
  @Option(help: "ISO 3166-1 alpha-2: US.") var countryCode: String?
  @Option(help: "The country's name.") var countryName: String?
  @Flag(inversion: .prefixedNo, help: "Whether new servers can be there.") var active: Bool?

  func validate() throws {
    try requireName(Location.nameRule, name, "--name")
    try requireCountryCode(countryCode)
    try requireName(Location.nameRule, countryName, "--country-name")
  }

  func run() async throws {
    let database = try await options.openDatabase()
    let location = try await database.catalogue().location(named: location)
    var change = LocationChange()
    change.name = name
    change.countryCode = countryCode
    change.countryName = countryName
    change.isActive = active
    let changed = try await database.updateLocation(location.id, change, at: SystemClock().now)
    guard let changed else { throw Refusal.noSuch("There is no location \(location.id) any more.") }
    output.tell("Location \(changed.id), \(changed.code), is changed.", LocationRecord(location: changed))
  }
}

private func requireCountryCode(_ text: String?) throws {
  if let text, !Location.isCountryCode(text) {
    throw ValidationError("--country-code: Write two capital letters, such as US.")
  }
}
