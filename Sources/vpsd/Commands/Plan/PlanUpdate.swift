import ArgumentParser
import Core
import SQLStore

struct PlanUpdate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update", abstract: "Change a plan; what is left out stays as it is.",
    discussion: """
      A new price is that of new servers, and with --existing also that of the servers that have the plan, from their next hour \
      on. Processors, memory and disk change only where no server has it. Speed of the network, weight and throughput are those of all \
      servers that have it, within seconds.
      """)

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The plan's id, uuid, slug or name.") var plan: String
  @Option(help: "What customers read.") var name: String?
  @Option(help: "Its name in programs.") var slug: String?
  @Option(help: "A sentence about it.") var description: String?
  @Option(help: "Virtual processors.") var vcpus: Int?
  @Option(help: ArgumentHelp("Memory.", valueName: "MiB")) var memory: Int?
  @Option(help: ArgumentHelp("The size of the disk.", valueName: "GiB")) var storage: Int?
  @Option(help: ArgumentHelp("What may cross the network in a month.", valueName: "GB")) var bandwidth: Int?
  @Option(
    name: .customLong("port-speed"),
    help: ArgumentHelp("How fast its network is in each direction; 0 for no limit.", valueName: "Mbit/s"))
  var portSpeed: Int?
  @Option(help: ArgumentHelp("What an hour costs: 0.005.", valueName: "amount")) var price: String?
  @Option(
    help: ArgumentHelp(
      "What a server has of the host's processors where they are short: 1 to 10000, or 0 for 100 for each of its own.",
      valueName: "weight"))
  var cpuWeight: Int?
  @Option(help: ArgumentHelp("Reads and writes of its disk in a second; 0 for no limit.", valueName: "number"))
  var diskIops: Int?
  @Option(help: ArgumentHelp("What it reads and writes of its disk in a second; 0 for no limit.", valueName: "MiB"))
  var diskThroughput: Int?
  @Option(help: ArgumentHelp("Where it is offered, all of them.", valueName: "code,code")) var locations: String?
  @Flag(inversion: .prefixedNo, help: "Whether new servers can have it.") var available: Bool?
  @Flag(help: "Also the servers that have it cost what it costs, from their next hour on, and may have less bandwidth.")
  var existing = false

  func validate() throws {
    try requireName(Plan.nameRule, name, "--name")
    try requireRule(Plan.descriptionRule, description, "--description")
    try requireSlug(slug, "--slug")
    try requireRange(Plan.vcpuRange, vcpus, "--vcpus")
    try requireRange(Plan.memoryRangeMiB, memory, "--memory")
    try requireRange(Plan.storageRangeGiB, storage, "--storage")
    try requireRange(Plan.bandwidthRangeGB, bandwidth, "--bandwidth")
    try requireRange(Plan.portSpeedRangeMbit, portSpeed, "--port-speed")
    try requireRange(Plan.cpuWeightRange, cpuWeight, "--cpu-weight")
    try requireRange(Plan.diskIOPSRange, diskIops, "--disk-iops")
    try requireRange(Plan.diskMiBPerSecondRange, diskThroughput, "--disk-throughput")
    _ = try change(locations: nil)
  }

  func run() async throws {
    let database = try await options.openDatabase()
    let catalogue = try await database.catalogue()
    let plan = try catalogue.plan(named: plan)
    let codes = try locations.map { try catalogue.locationCodes(named: elements(of: $0)) }
    let updated = try await database.updatePlan(plan.id, try change(locations: codes), at: SystemClock().now)
    guard let updated else { throw Refusal.noSuch("There is no plan \(plan.id) any more.") }
    let repriced =
      existing ? " \(updated.repricedServerCount) server(s) cost something else from their next hour on." : ""
    output.tell("Plan \(plan.id), \(updated.plan.slug), is changed.\(repriced)", PlanRecord(plan: updated.plan))
  }

  private func change(locations: [String]?) throws -> PlanChange {
    var change = PlanChange()
    change.name = name
    change.slug = slug
    change.description = description
    change.vcpus = vcpus
    change.memoryMiB = memory
    change.storageGiB = storage
    change.bandwidthGB = bandwidth
    change.portSpeedMbit = portSpeed
    change.pricePerHour = try price.map { try amount($0, in: Plan.priceRange, "--price") }
    change.locations = locations
    change.isAvailable = available
    change.cpuWeight = cpuWeight
    change.diskIOPS = diskIops
    change.diskMiBPerSecond = diskThroughput
    change.appliesToExisting = existing
    return change
  }
}

struct PlanRetire: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retire", abstract: "Sell a plan no more. Servers that have it go on.",
    discussion: "`vpsd plan update PLAN --available` sells it again.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The plan's id, uuid, slug or name.") var plan: String

  func run() async throws {
    let database = try await options.openDatabase()
    let plan = try await database.catalogue().plan(named: plan)
    var change = PlanChange()
    change.isAvailable = false
    let retired = try await database.updatePlan(plan.id, change, at: SystemClock().now)
    guard let retired else { throw Refusal.noSuch("There is no plan \(plan.id) any more.") }
    output.tell("Plan \(plan.id), \(plan.slug), is for no new server.", PlanRecord(plan: retired.plan))
  }
}
