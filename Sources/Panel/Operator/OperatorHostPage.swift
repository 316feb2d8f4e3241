import Core
import Engine
import HTML

/// The hosts, with their state and load.
struct OperatorHostPage {
  static let path = OperatorFrame.path + "/hosts"

  let hosts: OperatorHosts
  let sessions: Sessions

  var routes: [PanelRoute] {
    [
      .operatorGet("/hosts", show),
      .operatorPost("/hosts/{id}/drain") { try await setDraining(true, $0) },
      .operatorPost("/hosts/{id}/undrain") { try await setDraining(false, $0) },
    ]
  }

  private func setDraining(_ isDraining: Bool, _ visit: Visit) async throws -> Answer {
    _ = try await hosts.setDraining(isDraining, try visit.id(), by: visit.operator)
    return .redirect(Self.path)
  }

  @Sendable private func show(_ visit: Visit) async throws -> Answer {
    let loads = try await hosts.list()
    let words = visit.words
    return .page(
      try await OperatorFrame(sessions: sessions, tab: .hosts).page(words(.hosts), visit) { html in
        html.element("h1", text: words(.hosts))
        html.element("p", ["class": "hint"], text: words(.hostsHint))
        for load in loads { section(&html, load, visit) }
      })
  }

  private func section(_ html: inout HTML, _ load: HostLoad, _ visit: Visit) {
    let (host, words) = (load.host, visit.words)
    html.element("div", ["class": "title"]) { html in
      html.element("h2", text: host.name)
      html.element("span", ["class": "status \(host.state == .active ? "active" : "error")"]) { html in
        html.element("span", ["class": "dot"], text: "")
        html.element("span", text: words(host.state.phrase))
      }
    }
    html.element("p", ["class": "hint"]) { html in
      html.write("\(host.location ?? words(.allOtherLocations)) · \(host.driver) · ")
      html.element(
        "a", ["href": "\(OperatorServerList.path)?host=\(host.id)"], text: words(.serverCount(load.serverCount)))
      if let time = host.awaySince {
        html.write(" · \(words(.awaySince)) ")
        html.time(time)
      }
      if let failure = host.fenceFailure { html.write(" · \(words(.isNotSwitchedOff)): \(failure)") }
      if !host.isConfigured { html.write(" · \(words(.isNotConfigured))") }
    }
    html.element("dl", ["class": "figures"]) { html in
      share(&html, words(.virtualProcessors), load, \.vcpus) { "\($0)" }
      share(&html, words(.memory), load, \.memoryMiB, Words.memory)
      share(&html, words(.disk), load, \.storageGiB) { "\($0) GiB" }
    }
    let writer = FormWriter(visit: visit)
    html.element("div", ["class": "actions"]) { html in
      // It ends a fence that has begun, too.
      if host.isDraining || host.state == .fencing {
        writer.button(&html, .undrain, to: "\(Self.path)/\(host.id)/undrain")
      } else {
        writer.button(&html, .drain, to: "\(Self.path)/\(host.id)/drain")
      }
    }
  }

  /// How much of the host's capacity is reserved for servers.
  private func share(
    _ html: inout HTML, _ label: String, _ load: HostLoad, _ part: KeyPath<HostCapacity, Int>,
    _ shown: (Int) -> String
  ) {
    let (taken, all) = (load.reserved[keyPath: part], load.host.capacity?[keyPath: part])
    html.element("div") { html in
      html.element("dt", text: label)
      html.element("dd") { html in
        guard let all else { return html.write(shown(taken)) }
        let text = "\(shown(taken)) / \(shown(all))"
        html.element("span", text: text)
        html.element(
          "meter", ["value": "\(min(taken, all))", "max": "\(max(all, 1))", "aria-label": label], text: text)
      }
    }
  }
}

extension Host.State {
  fileprivate var phrase: Phrase {
    switch self {
    case .active: .hostIsActive
    case .draining: .hostIsDraining
    case .away: .hostIsAway
    case .fencing: .hostIsFencing
    case .fenced: .hostIsFenced
    }
  }
}
