import APIClient

/// The allowed fields of a firewall in a file. A misspelled or empty field is refused, because ignoring it could let everything
/// pass.
enum FirewallFields {
  private static let fields = ["enabled", "rules"]
  private static let ruleFields = ["direction", "protocol", "port", "source_ips", "destination_ips", "description"]

  static func errors(of firewall: JSON, _ place: String) -> [String] {
    guard let members = firewall.members else {
      return ["\(place): it has the fields \(fields.joined(separator: ", "))."]
    }
    var errors = unknown(members, fields, place)
    if firewall["enabled"]?.bool == nil { errors.append("\(place).enabled: this field is required: true or false.") }
    if let rules = firewall["rules"], rules.array == nil { errors.append("\(place).rules: it is a list.") }
    for (index, rule) in (firewall["rules"]?.array ?? []).enumerated() {
      errors += Self.errors(ofRule: rule, "\(place).rules.\(index)")
    }
    return errors
  }

  private static func errors(ofRule rule: JSON, _ place: String) -> [String] {
    guard let members = rule.members else { return ["\(place): it is no rule with its fields."] }
    // A rule for a protocol without ports may have an empty port, as the service shows it.
    let hasPorts = ["tcp", "udp"].contains(rule["protocol"]?.string)
    return unknown(members, ruleFields, place)
      + members.filter { $0.value.isNull && ($0.name != "port" || hasPorts) }.map {
        "\(place).\($0.name): there is nothing in it. Leave it out, or say it."
      }
  }

  private static func unknown(_ members: [JSON.Member], _ known: [String], _ place: String) -> [String] {
    members.filter { !known.contains($0.name) }.map {
      "\(place).\($0.name): there is no such field. There are: \(known.joined(separator: ", "))."
    }
  }
}
