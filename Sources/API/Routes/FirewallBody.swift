import Core

/// Reads a firewall from a body. It is always complete, and replaces the one before.
struct FirewallBody {
  /// How many rules it may have, and how many networks all rules may name together.
  let maximumRules: Int
  let maximumNetworks: Int

  init(_ limits: RequestLimits) {
    maximumRules = limits.firewallRules
    maximumNetworks = limits.firewallNetworks
  }

  func firewall(from fields: inout FieldReader) -> Firewall? {
    let isEnabled = fields.boolean("enabled", isRequired: true)
    let rules = fields.objects("rules", atMost: maximumRules, Self.rule)
    guard let isEnabled, let rules else { return nil }
    guard rules.map(\.networks.count).reduce(0, +) <= maximumNetworks else {
      let message = "Ensure that all rules together have no more than \(maximumNetworks) networks."
      fields.add("rules", inside: .fields(WireErrors(FieldReader.whole, message)))
      return nil
    }
    let firewall = Firewall(isEnabled: isEnabled, rules: rules)
    let repetitions = firewall.repetitions
    guard repetitions.isEmpty else {
      let elements = rules.indices.map { index in
        repetitions.contains(index)
          ? WireErrors(FieldReader.whole, "An earlier rule lets the same through.") : WireErrors()
      }
      fields.add("rules", inside: .elements(elements))
      return nil
    }
    return firewall
  }

  private static func rule(from fields: inout FieldReader) -> FirewallRule? {
    let direction = fields.choice("direction", of: FirewallRule.Direction.allCases.map { ($0.rawValue, $0) })
    let ipProtocol = fields.choice("protocol", of: IPProtocol.allCases.map { ($0.rawValue, $0) })
    var draft = FirewallRuleDraft(direction, ipProtocol)
    draft.ports = fields.isGiven("port") ? fields.text("port", isRequired: false, mayBeBlank: true) : nil
    let areReadable = draft.ports != nil || !fields.isGiven("port")
    draft.sources = fields.looseTexts("source_ips")
    draft.destinations = fields.looseTexts("destination_ips")
    draft.description =
      fields.string("description", isRequired: false, isNullable: true, mayBeBlank: true) ?? ""
    do {
      return try draft.validated()
    } catch {
      fields.add(error.all.filter { $0.part != .ports || areReadable })
      return nil
    }
  }
}

extension FieldReader {
  fileprivate mutating func add(_ entries: [FirewallRuleErrors.Entry]) {
    var sources = WireErrors()
    var destinations = WireErrors()
    for entry in entries {
      switch entry.part {
      case .ports: add("port", entry.message)
      case .description: add("description", entry.message)
      case .source(nil): add("source_ips", entry.message)
      case .destination(nil): add("destination_ips", entry.message)
      case .source(let index?): sources.add(String(index), entry.message)
      case .destination(let index?): destinations.add(String(index), entry.message)
      }
    }
    if !sources.isEmpty { add("source_ips", inside: .fields(sources)) }
    if !destinations.isEmpty { add("destination_ips", inside: .fields(destinations)) }
  }
}
