import API
import Core
import Engine
import HTML

/// The firewall of a server: all of its rules in one form, with room for a few more.
struct FirewallPage {
  private static let emptyRows = 3

  let useCases: UseCases
  let limits: RequestLimits

  var routes: [PanelRoute] {
    [
      .get("/servers/{id}/firewall") { visit in
        let stored = try await useCases.firewalls.read(try visit.id(), visit.caller).stored.firewall
        return .page(try await page(visit, stored.isEnabled, stored.rules.map(Row.init), nil))
      },
      .post("/servers/{id}/firewall", change),
    ]
  }

  /// A rule as it is typed.
  private struct Row {
    var direction = FirewallRule.Direction.inbound.rawValue
    /// Empty for a row that is none.
    var ipProtocol = ""
    var ports = ""
    var networks = ""
    var description = ""

    init() {}

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

  private func rows(_ form: Form) -> [Row] {
    let columns = (
      form.values("direction"), form.values("protocol"), form.values("port"), form.values("networks"),
      form.values("description")
    )
    let count = min(columns.0.count, columns.1.count, columns.2.count, columns.3.count, columns.4.count)
    return (0..<min(count, limits.firewallRules + Self.emptyRows)).compactMap { index in
      guard columns.1[index].isPlain(atMost: 8), !columns.1[index].isEmpty, columns.0[index].isPlain(atMost: 8) else {
        return nil
      }
      var row = Row()
      row.direction = columns.0[index]
      row.ipProtocol = columns.1[index]
      row.ports = columns.2[index].trimmed
      row.networks = columns.3[index]
      row.description = columns.4[index]
      return row
    }
  }

  @Sendable private func change(_ visit: Visit) async throws -> Answer {
    let id: ID<Server> = try visit.id()
    let rows = rows(visit.form)
    let isEnabled = visit.form["enabled"] != nil
    var messages: [String] = []
    var rules: [FirewallRule] = []
    for (index, row) in rows.enumerated() {
      do {
        rules.append(try row.rule())
      } catch {
        let all = error.all.map { visit.words(message: $0.message) }.joined(separator: " ")
        messages.append(visit.words(.ruleIsWrong(index + 1, all)))
      }
    }
    let firewall = Firewall(isEnabled: isEnabled, rules: rules)
    if rules.count > limits.firewallRules { messages.append(visit.words(.tooManyRules(limits.firewallRules))) }
    if rules.map(\.networks.count).reduce(0, +) > limits.firewallNetworks {
      messages.append(visit.words(.tooManyNetworks(limits.firewallNetworks)))
    }
    if messages.isEmpty, let repetition = firewall.repetitions.first {
      messages.append(visit.words(.ruleIsRepeated(repetition + 1)))
    }
    guard messages.isEmpty else { return .page(try await page(visit, isEnabled, rows, messages)) }
    do {
      // What was changed since the page was made is not undone.
      _ = try await useCases.firewalls.replace(
        id, with: firewall, ifTagged: [visit.form.choice("tag") ?? ""], visit.caller)
      return .redirect(ServerPages.path(id, "/firewall"))
    } catch let failure as Failure {
      guard let errors = FormErrors(failure, visit.words) else { throw failure }
      return .page(try await page(visit, isEnabled, rows, [errors.general ?? visit.words(.somethingIsWrong)]))
    }
  }

  private func page(_ visit: Visit, _ isEnabled: Bool, _ rows: [Row], _ messages: [String]?) async throws -> Page {
    let id: ID<Server> = try visit.id()
    let (view, _) = try await useCases.servers.read(id, visit.caller)
    let firewall = try await useCases.firewalls.read(id, visit.caller)
    let words = visit.words
    return Page(
      isRefused: messages != nil, title: view.server.name.name, section: .servers,
      path: ServerPages.path(id, "/firewall")
    ) { html in
      ServerHeader(view: view, tab: .firewall).write(&html, words)
      html.element("p", ["class": "hint"], text: words(.firewallHint))
      if isEnabled, !firewall.isEnforced {
        html.element("p", ["class": "notice"], text: words(.firewallIsNotEnforced))
      }
      for message in messages ?? [] { html.element("div", ["class": "notice bad", "role": "alert"], text: message) }
      FormWriter(visit: visit).write(&html, to: ServerPages.path(id, "/firewall"), class: "stack wide") { html in
        let tag = messages == nil ? Firewalls.tag(of: firewall.stored) : visit.form.choice("tag") ?? ""
        html.void("input", ["type": "hidden", "name": "tag", "value": tag])
        html.element("label", ["class": "check"]) { html in
          html.void(
            "input", ["type": "checkbox", "name": "enabled", "value": "on"], flags: isEnabled ? ["checked"] : [])
          html.element("span", text: words(.firewallIsOn))
        }
        table(&html, rows, words)
        html.element("div", ["class": "actions"]) { html in
          html.element("button", ["class": "main"], text: words(.save))
        }
      }
    }
  }

  private func table(_ html: inout HTML, _ rows: [Row], _ words: Words) {
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
