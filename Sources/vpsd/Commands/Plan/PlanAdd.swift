import ArgumentParser
import Core
import SQLStore

struct PlanAdd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Offer a new plan; customers see it within a second.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "What customers read: \"Nano VPS\".") var name: String
  @Option(help: "Its name in programs; made of the name, if left out.") var slug: String?
  @Option(help: "A sentence about it.") var description = ""
  @Option(help: "Virtual processors.") var vcpus: Int
  @Option(help: ArgumentHelp("Memory.", valueName: "MiB")) var memory: Int
  @Option(help: ArgumentHelp("The size of the disk.", valueName: "GiB")) var storage: Int
  @Option(help: ArgumentHelp("What may cross the network in a month.", valueName: "GB")) var bandwidth: Int
  @Option(
    name: .customLong("port-speed"),
    help: ArgumentHelp("How fast its network is in each direction; 0 for no limit.", valueName: "Mbit/s"))
  var portSpeed = 0
  @Option(help: ArgumentHelp("What an hour costs: 0.005.", valueName: "amount")) var price: String
  @Option(
    help: ArgumentHelp(
      "What a server has of the host's processors where they are short: 1 to 10000, or 0 for 100 for each of its own.",
      valueName: "weight"))
  var cpuWeight = 0
  @Option(help: ArgumentHelp("Reads and writes of its disk in a second; 0 for no limit.", valueName: "number"))
  var diskIops = 0
  @Option(help: ArgumentHelp("What it reads and writes of its disk in a second; 0 for no limit.", valueName: "MiB"))
  var diskThroughput = 0
  @Option(help: ArgumentHelp("Where it is offered; everywhere, if left out.", valueName: "code,code")) var locations:
    String?

  func validate() throws {
    try requireName(Plan.nameRule, name, "The name")
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
    _ = try amount(price, in: Plan.priceRange, "--price")
    if slug == nil, Slug.made(of: name) == nil {
      throw ValidationError("--slug: None can be made of this name: give one.")
    }
  }

  func run() async throws {
    let database = try await options.openDatabase()
    let catalogue = try await database.catalogue()
    let codes = try locations.map { try catalogue.locationCodes(named: elements(of: $0)) }
    let plan = try await database.addPlan(
      NewPlan(
        name: name, slug: slug ?? Slug.made(of: name) ?? "", description: description, vcpus: vcpus, memoryMiB: memory,
        storageGiB: storage, bandwidthGB: bandwidth, portSpeedMbit: portSpeed,
        pricePerHour: try amount(price, in: Plan.priceRange, "--price"),
        locations: codes ?? catalogue.locations.map(\.code), cpuWeight: cpuWeight, diskIOPS: diskIops,
        diskMiBPerSecond: diskThroughput),
      at: SystemClock().now)
    output.tell(
      "Plan \(plan.id), \(plan.slug), is offered at \(plan.pricePerHour.decimal) an hour.", PlanRecord(plan: plan))
  }
}
