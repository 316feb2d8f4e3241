/// Traffic that a firewall allows in one direction, and the networks that it may come from or go to.
package struct FirewallRule: Hashable, Sendable {
  package enum Direction: String, Codable, Sendable, CaseIterable {
    case inbound = "in"
    case outbound = "out"
  }

  /// How many networks a rule may name.
  package static let maximumNetworks = 50
  package static let descriptionRule = TextRule(maximumLength: 255)

  package let direction: Direction
  package let traffic: FirewallTraffic
  /// The networks at the other end: sources of inbound traffic, destinations of outbound traffic. Empty for all. None
  /// is listed twice, but one may contain another.
  package let networks: [IPNetwork]
  /// A note for people.
  package let description: String

  /// Throws `FirewallRuleErrors` with everything that is wrong.
  package init(
    _ direction: Direction, _ ipProtocol: IPProtocol, ports: String? = nil, networks: [String] = [],
    description: String = ""
  ) throws(FirewallRuleErrors) {
    var draft = FirewallRuleDraft(direction, ipProtocol)
    draft.ports = ports
    draft.description = description
    switch direction {
    case .inbound: draft.sources = networks
    case .outbound: draft.destinations = networks
    }
    self = try draft.validated()
  }

  fileprivate init(
    _ direction: Direction, _ traffic: FirewallTraffic, _ networks: [IPNetwork], description: String
  ) {
    self.direction = direction
    self.traffic = traffic
    self.networks = networks
    self.description = description
  }
}

/// A rule as somebody wrote it. A field that could not be read is nil; the others are checked all the same, so that the
/// author learns of all errors at once.
package struct FirewallRuleDraft: Sendable {
  package var direction: FirewallRule.Direction?
  package var ipProtocol: IPProtocol?
  package var ports: String?
  package var sources: [String] = []
  package var destinations: [String] = []
  package var description = ""

  package init(_ direction: FirewallRule.Direction?, _ ipProtocol: IPProtocol?) {
    self.direction = direction
    self.ipProtocol = ipProtocol
  }

  package func validated() throws(FirewallRuleErrors) -> FirewallRule {
    var errors = FirewallRuleErrors()
    let ports = validatedPorts(&errors)
    let sources =
      direction == .outbound
      ? Self.none(sources, .sources, "A rule for what goes out has destinations only.", &errors)
      : Self.networks(sources, FirewallRuleErrors.Part.source, &errors)
    let destinations =
      direction == .inbound
      ? Self.none(destinations, .destinations, "A rule for what comes in has sources only.", &errors)
      : Self.networks(destinations, FirewallRuleErrors.Part.destination, &errors)
    if let message = FirewallRule.descriptionRule.violation(in: description) { errors.add(.description, message) }
    guard errors.all.isEmpty, let direction, let traffic = ipProtocol.flatMap({ FirewallTraffic($0, ports) }) else {
      throw errors
    }
    return FirewallRule(
      direction, traffic, direction == .inbound ? sources : destinations, description: description)
  }

  private func validatedPorts(_ errors: inout FirewallRuleErrors) -> FirewallPorts? {
    guard let text = ports else {
      if ipProtocol?.hasPorts == true { errors.add(.ports, "This field is required for tcp and udp.") }
      return nil
    }
    if let ipProtocol, !ipProtocol.hasPorts {
      errors.add(.ports, "Only tcp and udp have ports: leave this out, or null.")
      return nil
    }
    guard let ports = FirewallPorts(text) else {
      errors.add(.ports, FirewallPorts.rule)
      return nil
    }
    return ports
  }

  private static func none(
    _ texts: [String], _ part: FirewallRuleErrors.Part, _ message: String, _ errors: inout FirewallRuleErrors
  ) -> [IPNetwork] {
    if !texts.isEmpty { errors.add(part, message) }
    return []
  }

  private static func networks(
    _ texts: [String], _ part: (Int?) -> FirewallRuleErrors.Part, _ errors: inout FirewallRuleErrors
  ) -> [IPNetwork] {
    guard texts.count <= FirewallRule.maximumNetworks else {
      errors.add(part(nil), "Ensure this field has no more than \(FirewallRule.maximumNetworks) elements.")
      return []
    }
    var networks: [IPNetwork] = []
    var known: Set<IPNetwork> = []
    for (index, text) in texts.enumerated() {
      do {
        let network = try IPNetwork(cidr: text)
        if known.insert(network).inserted {
          networks.append(network)
        } else {
          errors.add(part(index), "This network is in the list already.")
        }
      } catch {
        errors.add(part(index), error.message)
      }
    }
    return networks
  }
}

/// Everything that is wrong with a rule.
package struct FirewallRuleErrors: Error, Equatable, Sendable {
  package enum Part: Hashable, Sendable {
    case ports, description
    /// One element of the list; nil for the list as a whole.
    case source(Int?)
    case destination(Int?)

    static let sources = Part.source(nil)
    static let destinations = Part.destination(nil)
  }

  package struct Entry: Equatable, Sendable {
    package let part: Part
    package let message: String
  }

  package private(set) var all: [Entry] = []

  package init() {}

  mutating func add(_ part: Part, _ message: String) { all.append(Entry(part: part, message: message)) }
}
