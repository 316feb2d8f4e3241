import API
import Core
import Engine
import HTML

/// A firewall as entered in a form: all of its rules in one table, with some empty rows for more.
struct FirewallFields: Sendable {
  private static let emptyRows = 3

  let limits: RequestLimits
  let isEnabled: Bool
  private let rows: [Row]

  init(_ firewall: Firewall, limits: RequestLimits) {
    self.limits = limits
    isEnabled = firewall.isEnabled
    rows = firewall.rules.map(Row.init)
  }

  init(_ form: Form, limits: RequestLimits) {
    self.limits = limits
    isEnabled = form["enabled"] != nil
    rows = Self.rows(form, atMost: limits.firewallRules + Self.emptyRows)
  }

  /// Whether nothing was turned on or entered.
  var isEmpty: Bool { !isEnabled && rows.isEmpty }

  /// The firewall that was entered, and what is wrong with it.
  func firewall(_ words: Words) -> (Firewall, messages: [String]) {
    var messages: [String] = []
    var rules: [FirewallRule] = []
    for (index, row) in rows.enumerated() {
      do {
        rules.append(try row.rule())
      } catch {
        let all = error.all.map { words(message: $0.message) }.joined(separator: " ")
        messages.append(words(.ruleIsWrong(index + 1, all)))
      }
    }
    let firewall = Firewall(isEnabled: isEnabled, rules: rules)
    if rules.count > limits.firewallRules { messages.append(words(.tooManyRules(limits.firewallRules))) }
    if rules.map(\.networks.count).reduce(0, +) > limits.firewallNetworks {
      messages.append(words(.tooManyNetworks(limits.firewallNetworks)))
    }
    if messages.isEmpty, let repetition = firewall.repetitions.first {
      messages.append(words(.ruleIsRepeated(repetition + 1)))
    }
    return (firewall, messages)
  }

  /// A rule as entered in a form.
  private struct Row {
    var direction = FirewallRule.Direction.inbound.rawValue
    /// Empty where none was chosen.
    var ipProtocol = ""
    var ports = ""
    var networks = ""
    var description = ""

    init() {}

    /// Whether nothing was entered in the row.
    var isEmpty: Bool { [ipProtocol, ports, networks, description].allSatisfy(\.isEmpty) }

    init(_ rule: FirewallRule) {
      direction = rule.direction.rawValue
      ipProtocol = rule.traffic.ipProtocol.rawValue
      ports = rule.traffic.ports?.description ?? ""
      networks = rule.networks.map(\.description).joined(separator: " ")
      description = rule.description
    }

    func rule() throws(FirewallRuleErrors) -> FirewallRule {
      let direction = FirewallRule.Direction(rawValue: direction)
      var draft = FirewallRuleDraft(direction, IPProtocol(rawValue: ipProtocol))
      draft.ports = ports.isEmpty ? nil : ports
      let networks = networks.split { $0 == "," || $0.isWhitespace }.map(String.init)
      if direction == .outbound { draft.destinations = networks } else { draft.sources = networks }
      draft.description = description
      return try draft.validated()
    }
  }

  private static func rows(_ form: Form, atMost limit: Int) -> [Row] {
    let columns = (
      form.values("direction"), form.values("protocol"), form.values("port"), form.values("networks"),
      form.values("description")
    )
    let count = min(columns.0.count, columns.1.count, columns.2.count, columns.3.count, columns.4.count)
    return (0..<min(count, limit)).compactMap { index in
      guard columns.1[index].isPlain(atMost: 8), columns.0[index].isPlain(atMost: 8) else { return nil }
      var row = Row()
      row.direction = columns.0[index]
      row.ipProtocol = columns.1[index]
      row.ports = columns.2[index].trimmed
      row.networks = columns.3[index]
      row.description = columns.4[index]
      return row.isEmpty ? nil : row
    }
  }

  func write(_ html: inout HTML, _ words: Words) {
    html.element("label", ["class": "check"]) { html in
      html.void("input", ["type": "checkbox", "name": "enabled", "value": "on"], flags: isEnabled ? ["checked"] : [])
      html.element("span", text: words(.firewallIsOn))
    }
    table(&html, words)
  }

  private func table(_ html: inout HTML, _ words: Words) {
    html.element("div", ["class": "scroll", "tabindex": "0"]) { html in
      html.element("table", ["class": "list rules"]) { html in
        html.headings([.direction, .ipProtocol, .ports, .networks, .note], words)
        html.element("tbody") { html in
          let empty = [Row](repeating: Row(), count: max(0, min(Self.emptyRows, limits.firewallRules - rows.count)))
          for (index, row) in (rows + empty).enumerated() { self.row(&html, row, index + 1, words) }
        }
      }
    }
  }

  private func row(_ html: inout HTML, _ row: Row, _ number: Int, _ words: Words) {
    html.element("tr") { html in
      html.element("td") { html in
        options(
          &html, "direction", "\(words(.direction)) \(number)", [("in", words(.inbound)), ("out", words(.outbound))],
          row.direction)
      }
      html.element("td") { html in
        options(
          &html, "protocol", "\(words(.ipProtocol)) \(number)",
          [("", "–")] + IPProtocol.allCases.map { ($0.rawValue, $0.rawValue) }, row.ipProtocol)
      }
      input(&html, "port", "\(words(.ports)) \(number)", row.ports, limit: 11, "22")
      input(&html, "networks", "\(words(.networks)) \(number)", row.networks, limit: 2500, words(.everybody))
      input(&html, "description", "\(words(.note)) \(number)", row.description, limit: 255, "")
    }
  }

  private func options(
    _ html: inout HTML, _ name: StaticString, _ label: String, _ options: [(value: String, label: String)],
    _ chosen: String
  ) {
    html.element("select", ["name": "\(name)", "aria-label": label]) { html in
      for option in options {
        html.element(
          "option", ["value": option.value], flags: option.value == chosen ? ["selected"] : [], text: option.label)
      }
    }
  }

  private func input(
    _ html: inout HTML, _ name: StaticString, _ label: String, _ value: String, limit: Int, _ placeholder: String
  ) {
    html.element("td") { html in
      html.void(
        "input",
        [
          "name": "\(name)", "aria-label": label, "value": String(value.unicodeScalars.prefix(limit)),
          "maxlength": "\(limit)", "placeholder": placeholder, "autocomplete": "off", "spellcheck": "false",
        ])
    }
  }
}
