import API
import Core
import Engine
import HTML

/// The firewall of a server, as a whole in one form.
struct FirewallPage {
  let useCases: UseCases
  let limits: RequestLimits

  var routes: [PanelRoute] {
    [
      .get("/servers/{id}/firewall") { visit in
        let stored = try await useCases.firewalls.read(try visit.id(), visit.caller).stored.firewall
        return .page(try await page(visit, FirewallFields(stored, limits: limits), nil))
      },
      .post("/servers/{id}/firewall", change),
    ]
  }

  @Sendable private func change(_ visit: Visit) async throws -> Answer {
    let id: ID<Server> = try visit.id()
    let fields = FirewallFields(visit.form, limits: limits)
    let (firewall, messages) = fields.firewall(visit.words)
    guard messages.isEmpty else { return .page(try await page(visit, fields, messages)) }
    do {
      // The tag keeps this from undoing a change that was made since the page was shown.
      _ = try await useCases.firewalls.replace(
        id, with: firewall, ifTagged: [visit.form.choice("tag") ?? ""], visit.caller)
      return .redirect(ServerPages.path(id, "/firewall"))
    } catch let failure as Failure {
      guard let errors = FormErrors(failure, visit.words) else { throw failure }
      return .page(try await page(visit, fields, [errors.general ?? visit.words(.somethingIsWrong)]))
    }
  }

  private func page(_ visit: Visit, _ fields: FirewallFields, _ messages: [String]?) async throws -> Page {
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
      if fields.isEnabled, !firewall.isEnforced {
        html.element("p", ["class": "notice"], text: words(.firewallIsNotEnforced))
      }
      for message in messages ?? [] { html.element("div", ["class": "notice bad", "role": "alert"], text: message) }
      FormWriter(visit: visit).write(&html, to: ServerPages.path(id, "/firewall"), class: "stack wide") { html in
        let tag = messages == nil ? Firewalls.tag(of: firewall.stored) : visit.form.choice("tag") ?? ""
        html.void("input", ["type": "hidden", "name": "tag", "value": tag])
        fields.write(&html, words)
        html.element("div", ["class": "actions"]) { html in
          html.element("button", ["class": "main"], text: words(.save))
        }
      }
    }
  }
}
