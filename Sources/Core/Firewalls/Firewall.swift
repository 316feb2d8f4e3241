/// What may come to a server, and what may leave it: all of it, so that it can be put in the place of any other.
///
/// While it is disabled, everything may. Otherwise what comes in is what a rule lets in, and what belongs to a connection that
/// is allowed; what goes out is everything, unless there is a rule for that, and then only what such a rule lets out.
package struct Firewall: Hashable, Sendable, Codable {
  /// Of a server that never had another one.
  package static let disabled = Firewall(isEnabled: false, rules: [])

  package let isEnabled: Bool
  package let rules: [FirewallRule]

  package init(isEnabled: Bool, rules: [FirewallRule]) {
    self.isEnabled = isEnabled
    self.rules = rules
  }
}

extension Firewall {
  /// Where in the list a rule lets through what an earlier one does, whatever it says of itself.
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
