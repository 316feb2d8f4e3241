import Core
import Engine
import HTML

/// The servers of all accounts.
struct OperatorServerList {
  static let path = OperatorFrame.path + "/servers"

  let operators: Operators
  let sessions: Sessions

  private var frame: OperatorFrame { OperatorFrame(sessions: sessions, tab: .servers) }

  var routes: [PanelRoute] { [.operatorGet("/servers", show)] }

  /// The search as it was entered, and the filter that results from it.
  private struct Wanted {
    var filter = ServerListingFilter()
    var text: String?
    var account: String?
    /// Whether nothing can match: there is no such account, or the text cannot be part of any entry.
    var isNone = false
  }

  private func wanted(_ visit: Visit) async throws -> Wanted {
    var wanted = Wanted()
    wanted.text = visit.sought("search")
    wanted.account = visit.sought("account")
    wanted.isNone = visit.seeksNothing("search") || visit.seeksNothing("account")
    if let text = visit.query["status"] {
      if text.isPlain(atMost: 32) { wanted.filter.status = ServerStatus(rawValue: text) }
      if wanted.filter.status == nil { wanted.isNone = true }
    }
    if let text = visit.query["host"] {
      if case .id(let id)? = Reference<Host>(text) { wanted.filter.hostID = id } else { wanted.isNone = true }
    }
    if let text = wanted.account {
      wanted.filter.accountID = try await operators.accounts.find(text)?.id
      if wanted.filter.accountID == nil { wanted.isNone = true }
    }
    wanted.filter.beginning = wanted.text
    return wanted
  }

  private func list(_ wanted: Wanted, _ visit: Visit, limit: Int) async throws -> [ServerListing] {
    if wanted.isNone { return [] }
    // A number may be a server's ID, or the beginning of a name.
    if let text = wanted.text, visit.query["after"] == nil, case .id(let id)? = Reference<Server>(text),
      let found = try await operators.servers.find(id)
    {
      return [found]
    }
    return try await operators.servers.list(wanted.filter, after: visit.last(), limit: limit)
  }

  @Sendable private func show(_ visit: Visit) async throws -> Answer {
    let wanted = try await wanted(visit)
    let hosts = try await operators.hosts.list()
    let page = try await Turning<ServerListing>(id: { "\($0.server.id)" }) { limit in
      try await list(wanted, visit, limit: limit)
    }
    let words = visit.words
    let isMoving = page.elements.contains { $0.server.status.isTransitional }
    return .page(
      try await frame.page(words(.allServers), visit, isMoving: isMoving) { html in
        html.element("h1", text: words(.allServers))
        search(&html, wanted, hosts, words)
        Self.table(&html, page.elements, words)
        page.write(
          &html, path: Self.path,
          [
            ("search", wanted.text), ("status", wanted.filter.status?.rawValue),
            ("host", wanted.filter.hostID.map { "\($0)" }), ("account", wanted.account),
          ], visit)
      })
  }

  private func search(_ html: inout HTML, _ wanted: Wanted, _ hosts: [HostLoad], _ words: Words) {
    html.element("form", ["method": "get", "action": Self.path, "class": "search", "role": "search"]) { html in
      html.searchField("search", words(.searchAllServers), wanted.text)
      html.searchField("account", words(.accountNamed), wanted.account, kind: "text")
      html.element("select", ["name": "status", "aria-label": words(.status)]) { html in
        html.element("option", ["value": ""], text: words(.anyStatus))
        for status in ServerStatus.allCases {
          html.element(
            "option", ["value": status.rawValue], flags: status == wanted.filter.status ? ["selected"] : [],
            text: status.rawValue)
        }
      }
      html.element("select", ["name": "host", "aria-label": words(.host)]) { html in
        html.element("option", ["value": ""], text: words(.anyHost))
        for load in hosts {
          html.element(
            "option", ["value": "\(load.host.id)"], flags: load.host.id == wanted.filter.hostID ? ["selected"] : [],
            text: load.host.name)
        }
      }
      html.element("button", text: words(.search))
    }
  }

  static func table(_ html: inout HTML, _ listings: [ServerListing], _ words: Words) {
    guard !listings.isEmpty else { return html.element("p", text: words(.nothingFound)) }
    html.table([.name, .status, .account, .address, .host, .createdAt], words) { html in
      for listing in listings {
        let server = listing.server
        html.element("tr") { html in
          html.element("td") { html in
            html.element("a", ["class": "name", "href": OperatorServerPage.path(server.id)], text: server.name.name)
            html.element("span", ["class": "sub"], text: "\(server.id)")
          }
          html.element("td") { $0.status(of: listing, words) }
          html.element("td") { html in
            html.element("a", ["href": OperatorAccountPage.path(server.accountID)], text: listing.email)
          }
          html.element("td", ["class": "mono"], text: server.address?.description ?? "–")
          html.element("td", text: listing.host)
          html.element("td") { $0.time(server.createdAt) }
        }
      }
    }
  }
}

extension HTML {
  /// The status that the customer sees, with the reason that an operator needs. A server that is being deleted, which its
  /// customer no longer sees, is shown as such.
  mutating func status(of listing: ServerListing, _ words: Words) {
    guard listing.deletedAt == nil else { return element("span", ["class": "status"], text: words(.isBeingDeleted)) }
    status(listing.server.status, listing.failure ?? listing.server.statusReason)
  }
}
