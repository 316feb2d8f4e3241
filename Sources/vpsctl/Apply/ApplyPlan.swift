import APIClient

/// The changes after which the servers are as a file says.
struct ApplyPlan {
  enum Change {
    case create(ServerOrder)
    case update(JSON, fields: JSON, lines: [String])
    case resize(JSON, plan: JSON, line: String)
    case firewall(JSON, JSON)
    case delete(JSON)

    /// The name of the server.
    var title: String {
      switch self {
      case .create(let order): order.name
      case .update(let server, _, _), .resize(let server, _, _), .firewall(let server, _), .delete(let server):
        Kind.server.title(of: server)
      }
    }

    var lines: [String] {
      switch self {
      case .create(let order): ["+ \(order.name): \(order.plan), \(order.os), at \(order.location)"]
      case .update(let server, _, let lines): lines.map { "~ \(Kind.server.title(of: server)): \($0)" }
      case .resize(let server, _, let line): ["~ \(Kind.server.title(of: server)): \(line), for which it is shut down"]
      case .firewall(let server, let firewall):
        [
          "~ \(Kind.server.title(of: server)): firewall \(firewall["enabled"]?.bool == true ? "on" : "off"), \(firewall["rules"]?.array?.count ?? 0) rules"
        ]
      case .delete(let server):
        [
          "- \(Kind.server.title(of: server)), with its disk and its copies"
            + (server.isDeleteProtected ? ": it is protected from deletion" : "")
        ]
      }
    }
  }

  private(set) var changes: [Change] = []

  var deleted: [JSON] {
    changes.compactMap { change in
      if case .delete(let server) = change { return server }
      return nil
    }
  }

  /// Compares the file with the servers, without changing anything. Throws one refusal with all changes that are impossible.
  init(_ file: ServerFile, isPruning: Bool, _ session: Session) async throws {
    let servers = try await session.client.list(Kind.server.path)
    let catalogue = Catalogue(
      plans: try await session.client.list(Kind.plan.path),
      systems: try await session.client.list(Kind.operatingSystem.path),
      locations: try await session.client.list(Kind.location.path))
    var errors: [String] = []
    for (index, entry) in file.entries.enumerated() {
      let place = "servers.\(index)"
      let found = servers.filter { $0["name"]?.string == entry.order.name }
      let wanted = catalogue.resolve(entry.order, place, &errors)
      guard found.count <= 1 else {
        errors.append("\(place).name: there are \(found.count) servers of the name \(entry.order.name).")
        continue
      }
      guard let server = found.first else {
        changes.append(.create(entry.order))
        continue
      }
      guard let wanted, let id = server["id"]?.int else { continue }
      if wanted.system["id"] != server[path: "os.id"] {
        errors.append(
          "\(place).os: \(Column.text(server["os_name"] ?? "another")) is on it, and a rebuild loses all that is: vpsctl server rebuild \(id)"
        )
      }
      if wanted.location["code"] != server["location"] {
        errors.append("\(place).location: a server stays where it is.")
      }
      let detail = try await session.get("/servers/\(id)/")
      changes += Self.changes(entry, wanted.plan, detail)
      if let firewall = entry.order.firewall {
        let now = try await session.get("/servers/\(id)/firewall/")
        if !Self.isSame(firewall, now) { changes.append(.firewall(server, firewall)) }
      }
    }
    guard errors.isEmpty else { throw Refusal(.refused, errors) }
    if isPruning {
      let names = Set(file.entries.map(\.order.name))
      changes += servers.filter { !names.contains($0["name"]?.string ?? "") }.map { .delete($0) }
    }
  }

  private static func changes(_ entry: ServerFile.Entry, _ plan: JSON, _ server: JSON) -> [Change] {
    var changes: [Change] = []
    var fields: JSON = [:]
    var lines: [String] = []
    if let hostname = entry.order.hostname, server["hostname"]?.string?.lowercased() != hostname.lowercased() {
      fields["hostname"] = .string(hostname)
      lines.append("hostname \(Column.text(server["hostname"] ?? .null)) → \(hostname)")
    }
    if entry.saysBackups, server["backups_enabled"]?.bool != entry.order.backups {
      fields["backups_enabled"] = .bool(entry.order.backups)
      lines.append("backups \(entry.order.backups ? "on" : "off")")
    }
    if let labels = entry.order.labels, !Self.areSame(labels, server["labels"] ?? [:]) {
      fields["labels"] = labels
      lines.append(
        "labels \(labels.members?.map { "\($0.name)=\($0.value.string ?? "")" }.joined(separator: ",") ?? "")")
    }
    if !lines.isEmpty { changes.append(.update(server, fields: fields, lines: lines)) }
    if plan["id"] != server[path: "plan.id"] {
      let line = "plan \(Column.text(server[path: "plan.name"] ?? .null)) → \(Column.text(plan["name"] ?? .null))"
      changes.append(.resize(server, plan: plan["id"] ?? .null, line: line))
    }
    return changes
  }

  private static func areSame(_ labels: JSON, _ others: JSON) -> Bool {
    labels.members?.count == others.members?.count
      && (labels.members ?? []).allSatisfy { others[$0.name] == $0.value }
  }

  /// Whether two firewalls are the same once omitted fields have their defaults, which the service adds.
  static func isSame(_ wanted: JSON, _ now: JSON) -> Bool {
    guard wanted["enabled"] ?? false == now["enabled"] ?? false else { return false }
    func plain(_ firewall: JSON) -> [JSON] {
      (firewall["rules"]?.array ?? []).map { rule in
        var plain: JSON = [:]
        for field in ["direction", "protocol"] { plain[field] = rule[field] ?? .null }
        plain["port"] = rule["port"].flatMap { $0.isNull ? nil : .string($0.string ?? $0.text) } ?? .null
        for field in ["source_ips", "destination_ips"] { plain[field] = rule[field] ?? [] }
        plain["description"] = rule["description"] ?? ""
        return plain
      }
    }
    return plain(wanted) == plain(now)
  }
}

extension JSON {
  /// For the object of a server.
  var isDeleteProtected: Bool { self["delete_protection"]?.bool ?? false }
}

/// The plans, systems and locations that can be ordered.
private struct Catalogue {
  struct Choice {
    let plan: JSON
    let system: JSON
    let location: JSON
  }

  let plans: [JSON]
  let systems: [JSON]
  let locations: [JSON]

  func resolve(_ order: ServerOrder, _ place: String, _ errors: inout [String]) -> Choice? {
    func choose(_ field: String, _ kind: Kind, _ text: String, _ all: [JSON]) -> JSON? {
      switch Session.choose(kind, text, all, isExact: true) {
      case .found(let object): return object
      case .missing(let message), .ambiguous(let message):
        errors.append("\(place).\(field): \(message)")
        return nil
      }
    }
    let plan = choose("plan", .plan, order.plan, plans)
    let system = choose("os", .operatingSystem, order.os, systems)
    let location = choose("location", .location, order.location, locations)
    guard let plan, let system, let location else { return nil }
    return Choice(plan: plan, system: system, location: location)
  }
}
