import API
import Core
import Engine
import HTML
import Hummingbird

/// One server: its status, how to reach it, and its power actions.
struct ServerPages {
  let useCases: UseCases
  let clock: any WallClock
  let limits: RequestLimits

  static func path(_ id: ID<Server>, _ rest: String = "") -> String { "/servers/\(id)\(rest)" }

  /// The address to show; nil until the machine has been made, because it may change until then.
  static func shownAddress(_ server: Server) -> String? {
    server.status != .provisioning && server.machine.hasDisk ? server.address?.description : nil
  }

  var routes: [PanelRoute] {
    [
      .get("/servers/{id}") { visit in
        let (view, usage) = try await useCases.servers.read(try visit.id(), visit.caller)
        return .page(overview(view, usage, try await names(of: view.server, visit), FormErrors(), visit))
      },
      .post("/servers/{id}/start") { try await perform(.start, $0) },
      .post("/servers/{id}/stop") { try await perform(.stop, $0) },
      .post("/servers/{id}/reboot") { try await perform(.reboot, $0) },
      .get("/servers/{id}/power-off") { visit in .page(try await powerOff(visit).page(visit)) },
      .post("/servers/{id}/power-off") { visit in
        let id: ID<Server> = try visit.id()
        return try await powerOff(visit).carryOut(visit) {
          _ = try await useCases.servers.perform(.hardStop, on: id, visit.caller)
        }
      },
      .post("/servers/{id}/console", console),
      .get("/servers/{id}/history", history),
    ]
  }

  // MARK: Power and console

  private func perform(_ action: PowerAction, _ visit: Visit) async throws -> Answer {
    let id: ID<Server> = try visit.id()
    do {
      _ = try await useCases.servers.perform(action, on: id, visit.caller)
      return .redirect(Self.path(id))
    } catch let failure as Failure {
      return try await refused(failure, id, visit)
    }
  }

  /// A ticket can be used once, so each click gets a new one.
  @Sendable private func console(_ visit: Visit) async throws -> Answer {
    let id: ID<Server> = try visit.id()
    do {
      let issued = try await useCases.consoles.issueTicket(for: id, visit.caller)
      guard let url = issued.url else { return .redirect(ConsoleWire.path(issued)) }
      return .page(leading(to: url + ConsoleWire.path(issued), visit))
    } catch let failure as Failure {
      return try await refused(failure, id, visit)
    }
  }

  /// Leads to a console at another host, to which browsers follow no redirect from a form of ours.
  private func leading(to url: String, _ visit: Visit) -> Page {
    var page = Page(title: visit.words(.console), section: .servers) { html in
      html.element("div", ["class": "narrow"]) { html in
        html.element("h1", text: visit.words(.console))
        html.element("p") { html in
          html.element("a", ["class": "button main", "href": url], text: visit.words(.continue))
        }
      }
    }
    page.headers[.init("Refresh")!] = "0; url=\(url)"
    return page
  }

  private func refused(_ failure: Failure, _ id: ID<Server>, _ visit: Visit) async throws -> Answer {
    guard let errors = FormErrors(failure, visit.words) else { throw failure }
    let (view, usage) = try await useCases.servers.read(id, visit.caller)
    return .page(overview(view, usage, try await names(of: view.server, visit), errors, visit))
  }

  /// Nil where the server's location has no reverse DNS.
  private func names(of server: Server, _ visit: Visit) async throws -> [ReverseNames.Element]? {
    guard useCases.reverseNames.areAvailable(at: server.location) else { return nil }
    return try await useCases.reverseNames.list(server.id, visit.caller)
  }

  private func powerOff(_ visit: Visit) async throws -> ConfirmationPage {
    let (view, _) = try await useCases.servers.read(try visit.id(), visit.caller)
    let path = Self.path(view.server.id)
    return ConfirmationPage(
      title: visit.words(.powerOffServer(view.server.name.name)), text: visit.words(.powerOffHint), action: .powerOff,
      path: path + "/power-off", backPath: path, section: .servers)
  }

  // MARK: Overview

  private func overview(
    _ view: Servers.View, _ usage: ResourceUsage, _ names: [ReverseNames.Element]?, _ errors: FormErrors,
    _ visit: Visit
  ) -> Page {
    let (server, words) = (view.server, visit.words)
    return Page(
      isRefused: !errors.isEmpty, title: server.name.name, section: .servers, path: Self.path(server.id),
      isMoving: server.status.isTransitional
    ) { html in
      ServerHeader(view: view, tab: .overview).write(&html, words)
      if let message = errors.general {
        html.element("div", ["class": "notice bad", "role": "alert"], text: message)
      }
      html.element("div", ["id": "overview"], flags: ["data-live"]) { html in
        if server.isInRescue { html.element("p", ["class": "notice"], text: words(.isInRescue)) }
        power(&html, view, visit)
        access(&html, view, names, visit)
        html.element("h2", text: words(.usageNow))
        self.usage(&html, view, usage, words)
      }
    }
  }

  private func power(_ html: inout HTML, _ view: Servers.View, _ visit: Visit) {
    let (server, words) = (view.server, visit.words)
    let writer = FormWriter(visit: visit)
    html.element("div", ["class": "actions"]) { html in
      switch server.status {
      case .active:
        writer.button(&html, .reboot, to: Self.path(server.id, "/reboot"))
        writer.button(&html, .stop, to: Self.path(server.id, "/stop"))
        html.element("a", ["class": "button", "href": Self.path(server.id, "/power-off")], text: words(.powerOff))
        writer.button(&html, .console, to: Self.path(server.id, "/console"))
        if server.isInRescue {
          html.element(
            "a", ["class": "button main", "href": Self.path(server.id, "/leave-rescue")], text: words(.leaveRescue))
        }
      case .stopped: writer.button(&html, .start, to: Self.path(server.id, "/start"), class: "main")
      case .error where server.machine.hasDisk:
        writer.button(&html, .start, to: Self.path(server.id, "/start"), class: "main")
      case .error, .provisioning, .starting, .stopping, .rebooting, .suspended: break
      }
    }
  }

  private func access(
    _ html: inout HTML, _ view: Servers.View, _ names: [ReverseNames.Element]?, _ visit: Visit
  ) {
    let (server, words) = (view.server, visit.words)
    html.element("dl", ["class": "facts"]) { html in
      if let address = Self.shownAddress(server) {
        if view.forwarding?.hasSSH ?? true {
          let port = view.sshPort == 22 ? "" : " -p \(view.sshPort)"
          let place = view.forwarding?.address.description ?? address
          let command = "ssh\(port) \(view.operatingSystem.username)@\(place)"
          html.element("div") { html in
            html.element("dt", text: words(.sshCommand))
            html.element("dd", ["class": "copy"]) { html in
              html.element("code", text: command)
              html.copyButton(command, words)
            }
          }
        } else {
          html.figure(words(.sshCommand), words(.sshPortIsTaken(view.sshPort)))
        }
        addresses(&html, server, names, words)
      }
      html.figure(words(.hostname), server.hostname.name)
      html.figure(
        words(.plan),
        "\(view.plan.name) · \(words(.vcpus(view.plan.vcpus))) · \(Words.memory(view.plan.memoryMiB)) · "
          + "\(view.plan.storageGiB) GiB")
      html.figure(words(.price), words(.perHour(visit.amount(view.plan.pricePerHour))))
      html.figure(words(.system), view.operatingSystem.name)
      html.figure(words(.location), view.location.name)
      if !server.labels.isEmpty { html.figure(words(.labels), LabelField.text(of: server.labels)) }
      html.element("div") { html in
        html.element("dt", text: words(.createdAt))
        html.element("dd") { $0.time(server.createdAt) }
      }
    }
  }

  private func addresses(_ html: inout HTML, _ server: Server, _ names: [ReverseNames.Element]?, _ words: Words) {
    let called = Dictionary((names ?? []).map { ($0.address, $0.name) }) { $1 }
    for address in server.addresses.all {
      html.element("div") { html in
        html.element("dt", text: address.family == .ipv4 ? "IPv4" : "IPv6")
        html.element("dd") { html in
          html.write(address.hostAddress.description)
          if let name = called[address.hostAddress] ?? nil { html.element("span", ["class": "sub"], text: name.name) }
        }
      }
    }
    guard names != nil else { return }
    html.element("div") { html in
      html.element("dt", text: words(.reverseNames))
      html.element("dd") { html in
        html.element("a", ["href": Self.path(server.id, "/rdns")], text: words(.changeReverseNames))
      }
    }
  }

  private func usage(_ html: inout HTML, _ view: Servers.View, _ usage: ResourceUsage, _ words: Words) {
    let isThisMonth = usage.month == clock.now.month
    let plan = view.plan
    let meters: [(label: String, used: Double, limit: Double, text: String)] = [
      (words(.processor), Double(usage.cpuPermille) / 10, 100, "\(Double(usage.cpuPermille) / 10) %"),
      (
        words(.memory), Double(usage.memoryUsedMiB), Double(plan.memoryMiB),
        "\(usage.memoryUsedMiB) / \(plan.memoryMiB) MiB"
      ),
      (
        words(.disk), Double(usage.diskUsedGiB), Double(plan.storageGiB),
        "\(usage.diskUsedGiB) / \(plan.storageGiB) GiB"
      ),
      (
        words(.trafficThisMonth), isThisMonth ? Double(usage.bandwidthUsedGB) : 0, Double(plan.bandwidthGB),
        "\(isThisMonth ? usage.bandwidthUsedGB : 0) / \(plan.bandwidthGB) GB"
      ),
    ]
    html.element("dl", ["class": "figures"]) { html in
      for meter in meters {
        html.element("div") { html in
          html.element("dt", text: meter.label)
          html.element("dd") { html in
            html.element("span", text: meter.text)
            html.element(
              "meter",
              ["value": "\(min(meter.used, meter.limit))", "max": "\(max(meter.limit, 1))", "aria-label": meter.label],
              text: meter.text)
          }
        }
      }
    }
  }

  // MARK: History

  @Sendable private func history(_ visit: Visit) async throws -> Answer {
    let id: ID<Server> = try visit.id()
    let (view, _) = try await useCases.servers.read(id, visit.caller)
    let number = visit.query["page"].flatMap { $0.isPlain(atMost: 9) ? Int($0) : nil } ?? 1
    let page = try await useCases.servers.history(
      of: id, isNewestFirst: true, page: PageRequest(.number(max(1, number)), size: 100), visit.caller)
    let words = visit.words
    return .page(
      Page(title: view.server.name.name, section: .servers, isMoving: view.server.status.isTransitional) { html in
        ServerHeader(view: view, tab: .history).write(&html, words)
        html.element("div", ["id": "history"], flags: ["data-live"]) { html in
          html.element("div", ["class": "scroll", "tabindex": "0"]) { html in
            html.element("table", ["class": "list"]) { html in
              html.headings([.time, .operation, .result, .duration, .askedForBy], words)
              html.element("tbody") { html in
                for record in page.elements { html.row(of: record, at: clock.now, nobody: .theService, words) }
              }
            }
          }
          html.element("nav", ["class": "pages", "aria-label": words(.pages)]) { html in
            if page.hasPrevious {
              html.element("a", ["class": "button", "href": "?page=\(page.number - 1)"], text: words(.newer))
            }
            if page.hasNext {
              html.element("a", ["class": "button", "href": "?page=\(page.number + 1)"], text: words(.older))
            }
          }
        }
      })
  }
}

extension HTML {
  /// A row of a server's history.
  ///
  /// - Parameter nobody: Shown as the requester of an operation without a principal.
  mutating func row(of record: OperationRecord, at now: Timestamp, nobody: Phrase, _ words: Words) {
    element("tr") { html in
      html.element("td") { $0.time(record.createdAt) }
      html.element("td", text: words(record.kind.phrase))
      html.element("td") { html in
        html.element("span", ["class": "result \(record.state.rawValue)"], text: words(record.state.phrase))
        if let reason = record.reason { html.element("span", ["class": "sub"], text: reason) }
        if let move = record.move { html.element("span", ["class": "sub"], text: words(.moved(move))) }
      }
      html.element(
        "td", ["class": "number"],
        text: record.startedAt.map { words.duration((record.finishedAt ?? now) - $0) } ?? "–")
      html.element("td", text: record.requestedBy.map { words(principal: $0) } ?? words(nobody))
    }
  }
}

/// Name, status and tabs: the same on all pages of a server.
struct ServerHeader {
  enum Tab: CaseIterable {
    case overview
    case metrics
    case copies
    case firewall
    case history
    case settings

    var rest: String {
      switch self {
      case .overview: ""
      case .metrics: "/metrics"
      case .copies: "/copies"
      case .firewall: "/firewall"
      case .history: "/history"
      case .settings: "/settings"
      }
    }

    var phrase: Phrase {
      switch self {
      case .overview: .overview
      case .metrics: .charts
      case .copies: .backupsAndSnapshots
      case .firewall: .firewall
      case .history: .history
      case .settings: .settings
      }
    }
  }

  let view: Servers.View
  let tab: Tab?

  func write(_ html: inout HTML, _ words: Words) {
    let server = view.server
    html.element("p", ["class": "crumb"]) { html in
      html.element("a", ["href": ServerListPage.path], text: words(.servers))
    }
    html.element("div", ["class": "title", "id": "status"], flags: ["data-live"]) { html in
      html.element("h1", text: server.name.name)
      html.element("div", ["class": "state", "aria-live": "polite"]) { $0.status(server.status, view.statusReason) }
    }
    html.element("nav", ["class": "tabs", "aria-label": words(.pagesOfServer)]) { html in
      for tab in Tab.allCases {
        html.element(
          "a", ["href": ServerPages.path(server.id, tab.rest), "aria-current": tab == self.tab ? "page" : "false"],
          text: words(tab.phrase))
      }
    }
  }
}
