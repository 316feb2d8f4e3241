import APIClient

/// The desired servers, from a file.
struct ServerFile {
  struct Entry {
    var order: ServerOrder
    /// Whether the file contains the field `backups`.
    var saysBackups: Bool
  }

  private static let fields: Set<String> = [
    "name", "plan", "os", "location", "hostname", "ssh_keys", "ssh_key", "backups", "firewall", "labels", "user_data",
  ]

  var entries: [Entry] = []

  /// Throws one refusal with all errors, each with its place in the file.
  init(parsing text: String) throws {
    let root: JSON
    do {
      root = try JSON(parsingYAML: text)
    } catch let error as YAMLError {
      throw Refusal(.refused, "The file cannot be read as YAML: \(error)")
    }
    guard let members = root.members, let servers = root["servers"]?.array else {
      throw Refusal(.refused, "servers: this field, a list, is what the file has to hold.")
    }
    var errors = members.filter { $0.name != "servers" }.map {
      "\($0.name): there is no such field; servers is the one."
    }
    var names: Set<String> = []
    for (index, server) in servers.enumerated() {
      let place = "servers.\(index)"
      guard let entry = Self.entry(server, place, &errors) else { continue }
      if !names.insert(entry.order.name).inserted {
        errors.append("\(place).name: there are two of the name \(entry.order.name).")
      }
      entries.append(entry)
    }
    guard errors.isEmpty else { throw Refusal(.refused, errors) }
  }

  private static func entry(_ server: JSON, _ place: String, _ errors: inout [String]) -> Entry? {
    guard let members = server.members else {
      errors.append("\(place): it is no server with its fields.")
      return nil
    }
    for member in members where !fields.contains(member.name) {
      errors.append(
        "\(place).\(member.name): there is no such field. There are: \(fields.sorted().joined(separator: ", ")).")
    }
    func text(_ field: String) -> String {
      switch server[field] {
      case .string(let text)? where !text.isEmpty: return text
      case .number(let number)?: return number
      default:
        errors.append("\(place).\(field): this field is required, and a text.")
        return ""
      }
    }
    var order = ServerOrder(name: text("name"), plan: text("plan"), os: text("os"), location: text("location"))
    order.isExact = true
    order.hostname = server["hostname"] == nil ? nil : text("hostname")
    var keys = server["ssh_keys"]?.array ?? []
    if let list = server["ssh_keys"], list.array == nil { errors.append("\(place).ssh_keys: it is a list.") }
    if let key = server["ssh_key"] { keys.append(key) }
    for key in keys {
      guard let key = key.string ?? key.int.map(String.init) else {
        errors.append("\(place).ssh_keys: a key is a name, an id, or a file.")
        continue
      }
      order.sshKeys.append(key)
    }
    if let backups = server["backups"] {
      if backups.bool == nil { errors.append("\(place).backups: true or false.") }
      order.backups = backups.bool ?? false
    }
    if let firewall = server["firewall"] { errors += FirewallFields.errors(of: firewall, "\(place).firewall") }
    order.firewall = server["firewall"]
    if let labels = server["labels"] {
      let texts = labels.members?.map { ($0.name, $0.value.string ?? $0.value.int.map(String.init)) } ?? []
      if labels.members == nil || texts.contains(where: { $0.1 == nil }) {
        errors.append("\(place).labels: keys with their values, which are texts.")
      }
      order.labels = .object(texts.map { JSON.Member($0.0, .string($0.1 ?? "")) })
    }
    if server["user_data"] != nil { order.userData = text("user_data") }
    return Entry(order: order, saysBackups: server["backups"] != nil)
  }
}
