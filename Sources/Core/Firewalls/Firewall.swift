/// Which traffic may reach a server, and which may leave it. A firewall is complete: it always replaces another as a
/// whole.
///
/// While it is disabled, all traffic passes. Otherwise inbound traffic passes if a rule allows it or it belongs to an
/// allowed connection. Outbound traffic passes unless there are outbound rules; then only what one of them allows does.
package struct Firewall: Hashable, Sendable, Codable {
  /// The firewall of a server for which none was ever set.
  package static let disabled = Firewall(isEnabled: false, rules: [])

  package let isEnabled: Bool
  package let rules: [FirewallRule]

  package init(isEnabled: Bool, rules: [FirewallRule]) {
    self.isEnabled = isEnabled
    self.rules = rules
  }
}

extension Firewall {
  /// The indices of the rules that allow the same as an earlier rule, whatever their descriptions.
  package var repetitions: [Int] {
    struct Meaning: Hashable {
      let direction: FirewallRule.Direction
      let traffic: FirewallTraffic
      let networks: Set<IPNetwork>
    }
    var known: Set<Meaning> = []
    return rules.indices.filter { index in
      let rule = rules[index]
      let meaning = Meaning(direction: rule.direction, traffic: rule.traffic, networks: Set(rule.networks))
      return !known.insert(meaning).inserted
    }
  }
}
