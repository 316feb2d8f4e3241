import Core
import Engine
import HTML

/// The audit log: who changed what, and the result.
struct OperatorAuditPage {
  static let path = OperatorFrame.path + "/audit"

  let operators: Operators
  let sessions: Sessions

  var routes: [PanelRoute] { [.operatorGet("/audit", show)] }

  @Sendable private func show(_ visit: Visit) async throws -> Answer {
    let (account, server) = (visit.sought("account"), visit.sought("server"))
    var (filter, isNone) = (AuditFilter(), visit.seeksNothing("account") || visit.seeksNothing("server"))
    if let account {
      filter.accountID = try await operators.accounts.find(account)?.id
      if filter.accountID == nil { isNone = true }
    }
    if let server {
      if case .id(let id)? = Reference<Server>(server) { filter.serverID = id } else { isNone = true }
    }
    let wanted = filter
    let page = try await Turning<AuditEntry>(id: { "\($0.id)" }) { [isNone] limit in
      isNone ? [] : try await operators.auditTrail(wanted, before: visit.last(), limit: limit)
    }
    let words = visit.words
    return .page(
      try await OperatorFrame(sessions: sessions, tab: .audit).page(words(.audit), visit) { html in
        html.element("h1", text: words(.audit))
        html.element("form", ["method": "get", "action": Self.path, "class": "search", "role": "search"]) { html in
          html.searchField("account", words(.accountNamed), account, kind: "text")
          html.searchField("server", words(.serverNumbered), server, kind: "text")
          html.element("button", text: words(.search))
        }
        guard !page.elements.isEmpty else { return html.element("p", text: words(.nothingFound)) }
        html.table([.time, .operation, .account, .server, .doneBy, .result], words) { html in
          for entry in page.elements { row(&html, entry, words) }
        }
        page.write(&html, path: Self.path, [("account", account), ("server", server)], visit)
      })
  }

  private func row(_ html: inout HTML, _ entry: AuditEntry, _ words: Words) {
    html.element("tr") { html in
      html.element("td") { $0.time(entry.at) }
      html.element("td") { html in
        html.element("code", text: entry.action)
        if let detail = entry.detail, !detail.isEmpty { html.element("span", ["class": "sub"], text: detail) }
      }
      html.element("td", text: entry.email ?? "–")
      html.element("td") { html in
        if let id = entry.serverID {
          html.element("a", ["href": OperatorServerPage.path(id)], text: "\(id)")
        } else {
          html.write("–")
        }
      }
      html.element("td") { html in
        html.write(entry.tokenEmail ?? words(.theHost))
        let rest = [entry.tokenName.map { words(principal: $0) }, entry.tokenEmail == nil ? nil : entry.origin]
        html.element("span", ["class": "sub"], text: rest.compactMap(\.self).joined(separator: " · "))
      }
      html.element("td", text: words((entry.outcome ?? .succeeded).phrase))
    }
  }
}
