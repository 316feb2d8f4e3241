import Core
import Engine
import HTML

/// The servers of the account, all or those that match a search.
struct ServerListPage {
  static let path = "/servers"
  private static let pageSize = 500
  private static let longestSearchBytes = 253

  let useCases: UseCases

  var routes: [PanelRoute] { [.get(Self.path, show)] }

  @Sendable private func show(_ visit: Visit) async throws -> Answer {
    var filter = ServerFilter()
    if let text = visit.query["search"], text.isPlain(atMost: Self.longestSearchBytes),
      !text.unicodeScalars.contains(where: \.isControl)
    {
      filter.text = text
    }
    if let text = visit.query["status"], text.isPlain(atMost: 32) { filter.status = ServerStatus(rawValue: text) }
    let sort = Sort(visit.query["sort"])
    let number = visit.query["page"].flatMap { $0.isPlain(atMost: 9) ? Int($0) : nil } ?? 1
    let page = try await useCases.servers.list(
      filter, order: [sort.order], page: PageRequest(.number(max(1, number)), size: Self.pageSize), visit.caller)
    let isMoving = page.elements.contains { $0.server.status.isTransitional }
    return .page(
      Page(title: visit.words(.servers), section: .servers, isMoving: isMoving) { html in
        write(&html, page, filter, sort, visit)
      })
  }

  private func write(
    _ html: inout HTML, _ page: Core.Page<Servers.View>, _ filter: ServerFilter, _ sort: Sort, _ visit: Visit
  ) {
    let words = visit.words
    html.element("div", ["class": "title"]) { html in
      html.element("h1", text: words(.servers))
      html.element("a", ["class": "button main", "href": ServerCreationPage.path], text: words(.createServer))
    }
    let isFiltered = filter.text != nil || filter.status != nil
    guard page.totalCount > 0 || isFiltered else {
      return html.element("div", ["class": "empty"]) { html in
        html.element("p", text: words(.noServersYet))
      }
    }
    search(&html, filter, sort, words)
    html.element("div", ["id": "servers"], flags: ["data-live"]) { html in
      html.element("p", ["class": "hint"], text: words(.serverCount(page.totalCount)))
      html.element("div", ["class": "scroll", "tabindex": "0"]) { html in
        html.element("table", ["class": "list"]) { html in
          html.element("thead") { html in
            html.element("tr") { html in
              for key in Sort.Key.allCases { heading(&html, key, filter, sort, words) }
              for phrase in [Phrase.address, .plan, .system, .location] { html.element("th", text: words(phrase)) }
            }
          }
          html.element("tbody") { html in for view in page.elements { row(&html, view) } }
        }
      }
      pages(&html, page, filter, sort, words)
    }
  }

  private func search(_ html: inout HTML, _ filter: ServerFilter, _ sort: Sort, _ words: Words) {
    html.element("form", ["method": "get", "action": Self.path, "class": "search", "role": "search"]) { html in
      html.void(
        "input",
        [
          "type": "search", "name": "search", "value": filter.text ?? "", "aria-label": words(.searchServers),
          "placeholder": words(.searchServers), "maxlength": "\(Self.longestSearchBytes)",
        ])
      html.element("select", ["name": "status", "aria-label": words(.status)]) { html in
        html.element("option", ["value": ""], text: words(.anyStatus))
        for status in ServerStatus.allCases {
          html.element(
            "option", ["value": status.rawValue], flags: status == filter.status ? ["selected"] : [],
            text: status.rawValue)
        }
      }
      html.void("input", ["type": "hidden", "name": "sort", "value": sort.text])
      html.element("button", text: words(.search))
    }
  }

  private func heading(
    _ html: inout HTML, _ key: Sort.Key, _ filter: ServerFilter, _ sort: Sort, _ words: Words
  ) {
    let isChosen = key == sort.key
    let next = Sort(key: key, isDescending: isChosen && !sort.isDescending)
    let direction = isChosen ? sort.isDescending ? "descending" : "ascending" : "none"
    html.element("th", ["aria-sort": direction]) { html in
      html.element("a", ["href": Self.link(filter, next, page: 1)], text: words(key.phrase))
    }
  }

  private func row(_ html: inout HTML, _ view: Servers.View) {
    let server = view.server
    html.element("tr") { html in
      html.element("td") { html in
        html.element("a", ["class": "name", "href": ServerPages.path(server.id)], text: server.name.name)
        html.element("span", ["class": "sub"], text: server.hostname.name)
      }
      html.element("td") { html in html.status(server.status, view.statusReason) }
      html.element("td") { html in html.time(server.createdAt) }
      html.element("td", ["class": "mono"], text: ServerPages.shownAddress(server) ?? "–")
      html.element("td", text: view.plan.name)
      html.element("td", text: view.operatingSystem.name)
      html.element("td", text: view.location.name)
    }
  }

  private func pages(
    _ html: inout HTML, _ page: Core.Page<Servers.View>, _ filter: ServerFilter, _ sort: Sort, _ words: Words
  ) {
    guard page.hasNext || page.hasPrevious else { return }
    html.element("nav", ["class": "pages", "aria-label": words(.pages)]) { html in
      if page.hasPrevious {
        html.element(
          "a", ["class": "button", "href": Self.link(filter, sort, page: page.number - 1)], text: words(.previous))
      }
      if page.hasNext {
        html.element(
          "a", ["class": "button", "href": Self.link(filter, sort, page: page.number + 1)], text: words(.next))
      }
    }
  }

  private static func link(_ filter: ServerFilter, _ sort: Sort, page: Int) -> String {
    var query = ["sort=\(sort.text)"]
    if let text = filter.text { query.append("search=\(text.percentEncoded)") }
    if let status = filter.status { query.append("status=\(status.rawValue)") }
    if page > 1 { query.append("page=\(page)") }
    return path + "?" + query.joined(separator: "&")
  }

  /// The order of the list: `name`, or `-name` for descending.
  private struct Sort {
    enum Key: String, CaseIterable {
      case name
      case status
      case created

      var serverKey: ServerKey {
        switch self {
        case .name: .name
        case .status: .status
        case .created: .createdAt
        }
      }

      var phrase: Phrase {
        switch self {
        case .name: .name
        case .status: .status
        case .created: .createdAt
        }
      }
    }

    let key: Key
    let isDescending: Bool

    init(key: Key, isDescending: Bool) {
      self.key = key
      self.isDescending = isDescending
    }

    init(_ text: String?) {
      let text = text.flatMap { $0.isPlain(atMost: 16) ? $0 : nil } ?? "name"
      isDescending = text.hasPrefix("-")
      key = Key(rawValue: isDescending ? String(text.dropFirst()) : text) ?? .name
    }

    var text: String { (isDescending ? "-" : "") + key.rawValue }
    var order: ListOrder<ServerKey> { ListOrder(key.serverKey, isDescending: isDescending) }
  }
}

extension String {
  /// Percent-encoded for a value in a query.
  var percentEncoded: String {
    utf8.reduce(into: "") { text, byte in
      switch byte {
      case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
        text.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        text += "%" + (digits.utf8.count == 1 ? "0" : "") + digits
      }
    }
  }
}

extension HTML {
  /// The status by its name in the API, and its reason.
  mutating func status(_ status: ServerStatus, _ reason: String?) {
    element("span", ["class": "status \(status.rawValue)"]) { html in
      html.element("span", ["class": "dot"], text: "")
      html.element("span", text: status.rawValue)
    }
    if let reason { element("span", ["class": "sub"], text: reason) }
  }
}
