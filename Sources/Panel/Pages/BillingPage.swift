import Core
import Engine
import HTML

/// The balance, the costs and the ledger.
struct BillingPage {
  static let path = "/billing"
  private static let pageSize = 100

  let statements: Statements
  let profiles: Profiles
  let clock: any WallClock

  var routes: [PanelRoute] { [.get(Self.path, show)] }

  @Sendable private func show(_ visit: Visit) async throws -> Answer {
    let chosen = visit.query["month"].flatMap { CalendarMonth($0) }
    func number(_ name: StaticString) -> Int {
      max(1, visit.query[name].flatMap { $0.isPlain(atMost: 9) ? Int($0) : nil } ?? 1)
    }
    let statement = try await statements.statement(
      for: chosen, page: PageRequest(.number(number("servers")), size: Self.pageSize), visit.caller)
    let ledger = try await statements.ledger(
      in: statement.month, order: [ListOrder(.id, isDescending: true)],
      page: PageRequest(.number(number("page")), size: Self.pageSize), visit.caller)
    let hourlyCost = try await profiles.hourlyCost(visit.caller)
    return .page(
      Page(title: visit.words(.billing), section: .billing) { html in
        html.element("h1", text: visit.words(.billing))
        figures(&html, hourlyCost, visit)
        months(&html, statement.month, visit.words)
        costs(&html, statement, ledgerPage: ledger.number, visit)
        entries(&html, ledger, statement.month, serversPage: statement.servers.number, visit)
      })
  }

  private func figures(_ html: inout HTML, _ hourlyCost: Money, _ visit: Visit) {
    let words = visit.words
    html.element("dl", ["class": "figures"]) { html in
      html.figure(words(.balance), visit.amount(visit.account.balance))
      html.figure(words(.costNow), words(.perHour(visit.amount(hourlyCost))))
      html.figure(words(.lastsFor), lasting(hourlyCost, visit))
    }
  }

  private func lasting(_ hourlyCost: Money, _ visit: Visit) -> String {
    let cost = hourlyCost.microunits
    guard cost > 0 else { return "–" }
    let hours = max(0, visit.account.balance.microunits) / cost
    return visit.words(hours >= 48 ? .days(hours / 24) : .hours(hours))
  }

  private func months(_ html: inout HTML, _ month: CalendarMonth, _ words: Words) {
    html.element("div", ["class": "title"]) { html in
      html.element("h2", text: month.description)
      html.element("nav", ["class": "pages", "aria-label": words(.month)]) { html in
        if let before = CalendarMonth(month.start - .seconds(1)) {
          html.element(
            "a", ["class": "button", "href": "\(Self.path)?month=\(before)"], text: before.description)
        }
        if month.end <= clock.now, let after = CalendarMonth(month.end) {
          html.element("a", ["class": "button", "href": "\(Self.path)?month=\(after)"], text: after.description)
        }
      }
    }
  }

  private func costs(
    _ html: inout HTML, _ statement: MonthlyStatement, ledgerPage: Int, _ visit: Visit
  ) {
    let words = visit.words
    guard !statement.servers.isEmpty else { return html.element("p", text: words(.nothingSpent)) }
    html.element("div", ["class": "scroll", "tabindex": "0"]) { html in
      html.element("table", ["class": "list"]) { html in
        html.headings([.server, .plan, .hoursTitle, .amount, .backups, .traffic], words)
        html.element("tbody") { html in
          for cost in statement.servers.elements {
            html.element("tr") { html in
              html.element("td") { html in
                if cost.deletedAt == nil {
                  html.element("a", ["href": ServerPages.path(cost.serverID)], text: cost.name.name)
                } else {
                  html.write("\(cost.name.name) (\(words(.deleted)))")
                }
              }
              html.element("td", text: cost.plan)
              html.element("td", ["class": "number"], text: "\(cost.hours)")
              html.element("td", ["class": "number"], text: cost.amount.decimal)
              html.element("td", ["class": "number"], text: cost.backups.decimal)
              html.element("td", ["class": "number"], text: "\(cost.trafficGB) GB · \(cost.traffic.decimal)")
            }
          }
        }
      }
    }
    pages(
      &html, statement.servers, "servers=", "month=\(statement.month)&page=\(ledgerPage)", words(.servers),
      words(.previous), words(.next))
    html.element("p", ["class": "total"], text: "\(words(.total)): \(visit.amount(statement.total))")
  }

  private func entries(
    _ html: inout HTML, _ ledger: Core.Page<LedgerEntry>, _ month: CalendarMonth, serversPage: Int, _ visit: Visit
  ) {
    let words = visit.words
    html.element("h2", text: words(.ledger))
    html.element("div", ["class": "scroll", "tabindex": "0"]) { html in
      html.element("table", ["class": "list"]) { html in
        html.headings([.time, .reason, .amount, .balance, .server, .note], words)
        html.element("tbody") { html in
          for entry in ledger.elements { html.row(of: entry, words) }
        }
      }
    }
    pages(
      &html, ledger, "page=", "month=\(month)&servers=\(serversPage)", words(.ledger), words(.newer), words(.older))
  }

  /// - Parameters:
  ///   - name: The name of the query field with the page's number, with a `=`.
  ///   - kept: The other fields of the query.
  private func pages<Row>(
    _ html: inout HTML, _ page: Core.Page<Row>, _ name: StaticString, _ kept: String, _ label: String,
    _ before: String, _ after: String
  ) {
    guard page.hasPrevious || page.hasNext else { return }
    html.element("nav", ["class": "pages", "aria-label": label]) { html in
      for (isThere, number, text) in [
        (page.hasPrevious, page.number - 1, before), (page.hasNext, page.number + 1, after),
      ]
      where isThere {
        html.element("a", ["class": "button", "href": "\(Self.path)?\(kept)&\(name)\(number)"], text: text)
      }
    }
  }
}

extension HTML {
  /// A row of a ledger.
  mutating func row(of entry: LedgerEntry, _ words: Words) {
    element("tr") { html in
      html.element("td") { $0.time(entry.createdAt) }
      html.element("td", text: words(entry.reason.phrase))
      html.element("td", ["class": "number"], text: entry.amount.decimal)
      html.element("td", ["class": "number"], text: entry.balance.decimal)
      html.element("td", text: entry.serverName?.name ?? "–")
      html.element("td", text: entry.description)
    }
  }

  mutating func figure(_ label: String, _ value: String) {
    element("div") { html in
      html.element("dt", text: label)
      html.element("dd", text: value)
    }
  }
}

extension LedgerReason {
  var phrase: Phrase {
    switch self {
    case .credit: .ledgerCredit
    case .hold: .ledgerHold
    case .release: .ledgerRelease
    case .charge: .ledgerCharge
    case .backup: .ledgerBackup
    case .traffic: .ledgerTraffic
    case .refund: .ledgerRefund
    }
  }
}
