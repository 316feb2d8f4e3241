import API
import ArgumentParser
import Core
import SQLStore

struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "The plans that are for sale, and those that were.",
    subcommands: [PlanAdd.self, PlanUpdate.self, PlanRetire.self, PlanList.self])
}

struct PlanList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List all plans, retired ones too.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    output.list(try await options.openDatabase().catalogue().plans.map(PlanRecord.init))
  }
}

struct PlanRecord: Record {
  let plan: Plan

  static let headings = ["ID", "SLUG", "VCPUS", "MIB", "GIB", "GB/MONTH", "MBIT/S", "PRICE/H", "STATE", "LOCATIONS"]

  var cells: [String] {
    [
      "\(plan.id)", plan.slug, "\(plan.vcpus)", "\(plan.memoryMiB)", "\(plan.storageGiB)",
      "\(plan.bandwidthGB)", plan.portSpeedMbit > 0 ? "\(plan.portSpeedMbit)" : "-", plan.pricePerHour.decimal,
      plan.isAvailable ? "available" : "retired",
      plan.locations.joined(separator: ","),
    ]
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("id", plan.id.value)
    writer.field("uuid", plan.uuid)
    writer.field("name", plan.name)
    writer.field("slug", plan.slug)
    writer.field("description", plan.description)
    writer.field("vcpus", plan.vcpus)
    writer.field("memory", plan.memoryMiB)
    writer.field("storage", plan.storageGiB)
    writer.field("bandwidth", plan.bandwidthGB)
    writer.field("port_speed_mbit", plan.portSpeedMbit > 0 ? Int64(plan.portSpeedMbit) : nil)
    writer.field("cpu_weight", plan.limits.cpuWeight)
    writer.field("disk_iops", plan.diskIOPS)
    writer.field("disk_throughput", plan.diskMiBPerSecond)
    writer.field("price_hourly", text: plan.pricePerHour)
    writer.field("price_monthly", text: plan.pricePerMonth)
    writer.field("available", plan.isAvailable)
    writer.field("locations", plan.locations) { $0.value($1) }
  }
}
