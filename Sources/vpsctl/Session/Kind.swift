import APIClient

/// A kind of object in the service: its path, and how its objects are named and shown.
struct Kind: Sendable {
  let noun: String
  let path: String
  /// The fields by which an object can be named, besides ID and UUID; the first one is its name.
  let names: [String]
  let columns: [Column]

  func name(of object: JSON) -> String {
    for field in names + ["id"] {
      if let value = object[field], !value.isNull { return value.string ?? value.text }
    }
    return "?"
  }

  /// The name for sentences: `web (1)`.
  func title(of object: JSON) -> String {
    guard let id = object["id"]?.int, !names.isEmpty else { return "\(noun) \(name(of: object))" }
    return "\(name(of: object)) (\(id))"
  }

  static let server = Kind(
    noun: "server", path: "/servers/", names: ["name"],
    columns: [
      Column("ID", "id"), Column("NAME", "name"), Column("STATUS", "status", .status), Column("IP", "ip_address"),
      Column("PLAN", "plan.name"), Column("OS", "os.name"), Column("LOCATION", "location"),
      Column("CREATED", "created_at", .time),
    ])
  static let backup = Kind(
    noun: "backup", path: "/backups/", names: [],
    columns: [
      Column("ID", "id"), Column("SERVER", "server.name"), Column("TYPE", "backup_type"),
      Column("STATUS", "status", .status), Column("MB", "size_mb"), Column("CREATED", "created_at", .time),
      Column("EXPIRES", "expires_at", .time), Column("DESCRIPTION", "description"),
    ])
  static let snapshot = Kind(
    noun: "snapshot", path: "/snapshots/", names: ["name"],
    columns: [
      Column("ID", "id"), Column("NAME", "name"), Column("SERVER", "server.name"), Column("STATUS", "status", .status),
      Column("MB", "size_mb"), Column("CREATED", "created_at", .time), Column("DESCRIPTION", "description"),
    ])
  static let sshKey = Kind(
    noun: "SSH key", path: "/ssh-keys/", names: ["name"],
    columns: [
      Column("ID", "id"), Column("NAME", "name"), Column("FINGERPRINT", "fingerprint"),
      Column("CREATED", "created_at", .time), Column("LAST USED", "last_used_at", .time),
    ])
  static let token = Kind(
    noun: "token", path: "/tokens/", names: ["name"],
    columns: [
      Column("ID", "id"), Column("NAME", "name"), Column("PERMISSIONS", "permissions"),
      Column("EXPIRES", "expires_at", .time), Column("LAST USED", "last_used_at", .time),
      Column("CREATED", "created_at", .time),
    ])
  static let plan = Kind(
    noun: "plan", path: "/plans/", names: ["slug", "name"],
    columns: [
      Column("ID", "id"), Column("SLUG", "slug"), Column("NAME", "name"), Column("VCPUS", "vcpus"),
      Column("MEMORY", "memory", .memory), Column("DISK", "storage", .gigabytes), Column("HOUR", "price_hourly"),
      Column("MONTH", "price_monthly"), Column("LOCATIONS", "locations"),
    ])
  static let operatingSystem = Kind(
    noun: "operating system", path: "/operating-systems/", names: ["slug", "name"],
    columns: [
      Column("ID", "id"), Column("SLUG", "slug"), Column("NAME", "name"), Column("FAMILY", "family"),
      Column("VERSION", "version"), Column("AVAILABLE", "available"),
    ])
  static let location = Kind(
    noun: "location", path: "/locations/", names: ["code", "name"],
    columns: [
      Column("ID", "id"), Column("CODE", "code"), Column("NAME", "name"), Column("COUNTRY", "country_name"),
      Column("ACTIVE", "is_active"),
    ])
  static let operation = Kind(
    noun: "operation", path: "", names: [],
    columns: [
      Column("ID", "id"), Column("KIND", "kind"), Column("STATUS", "status", .status), Column("BY", "requested_by"),
      Column("CREATED", "created_at", .time), Column("FINISHED", "finished_at", .time), Column("REASON", "reason"),
    ])
  static let rule = Kind(
    noun: "rule", path: "", names: [],
    columns: [
      Column("DIRECTION", "direction"), Column("PROTOCOL", "protocol"), Column("PORT", "port"),
      Column("FROM", "source_ips"), Column("TO", "destination_ips"), Column("DESCRIPTION", "description"),
    ])
  static let reverseName = Kind(
    noun: "address", path: "", names: ["ip_address"],
    columns: [Column("ADDRESS", "ip_address"), Column("NAME", "ptr")])
  static let ledgerEntry = Kind(
    noun: "entry", path: "/account/ledger/", names: [],
    columns: [
      Column("ID", "id"), Column("CREATED", "created_at", .time), Column("REASON", "reason"),
      Column("AMOUNT", "amount"), Column("BALANCE", "balance"), Column("SERVER", "server.name"),
      Column("DESCRIPTION", "description"),
    ])
  static let metric = Kind(
    noun: "metric", path: "", names: ["at"],
    columns: [
      Column("TIME", "at", .seconds), Column("CPU %", "cpu"), Column("MEMORY MIB", "memory"),
      Column("DISK GIB", "disk"),
      Column("IN B/S", "network_in"), Column("OUT B/S", "network_out"),
    ])
  static let serverCost = Kind(
    noun: "server", path: "/account/usage/", names: ["name"],
    columns: [
      Column("ID", "id"), Column("NAME", "name"), Column("PLAN", "plan"), Column("HOURS", "hours"),
      Column("AMOUNT", "amount"), Column("BACKUPS", "backups"), Column("TRAFFIC GB", "traffic_gb"),
      Column("TRAFFIC", "traffic"), Column("DELETED", "deleted_at", .time),
    ])
  static let account = Kind(noun: "account", path: "", names: ["email"], columns: [])
  static let context = Kind(
    noun: "context", path: "", names: ["name"],
    columns: [Column("", "current"), Column("NAME", "name"), Column("URL", "url"), Column("TOKEN", "token")])
  static let event = Kind(noun: "event", path: "", names: [], columns: [])
  static let console = Kind(noun: "console", path: "", names: ["url"], columns: [])
  static let firewall = Kind(noun: "firewall", path: "", names: [], columns: [])
}
