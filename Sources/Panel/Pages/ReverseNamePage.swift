import Core
import Engine
import HTML

/// The reverse DNS names of a server's addresses, and a form to change one.
struct ReverseNamePage {
  let servers: Servers
  let reverseNames: ReverseNames

  var routes: [PanelRoute] {
    [
      .get("/servers/{id}/rdns") { visit in .page(try await page(visit, FormErrors())) },
      .post("/servers/{id}/rdns", change),
      .post("/servers/{id}/rdns/default", takeDefault),
    ]
  }

  private static func path(_ id: ID<Server>, _ rest: String = "") -> String { ServerPages.path(id, "/rdns" + rest) }

  @Sendable private func change(_ visit: Visit) async throws -> Answer {
    var missing = FormErrors()
    missing.require(["ip_address", "ptr"], in: visit.form, visit.words)
    guard missing.isEmpty else { return .page(try await page(visit, missing)) }
    return try await call(visit.form["ptr"]?.trimmed, visit)
  }

  @Sendable private func takeDefault(_ visit: Visit) async throws -> Answer { try await call(nil, visit) }

  private func call(_ name: String?, _ visit: Visit) async throws -> Answer {
    let id: ID<Server> = try visit.id()
    do {
      let address = visit.form["ip_address"]?.trimmed ?? ""
      _ = try await reverseNames.change(id, .init(address: address, name: name), visit.caller)
      return .redirect(Self.path(id))
    } catch let failure as Failure {
      guard let errors = FormErrors(failure, visit.words) else { throw failure }
      return .page(try await page(visit, errors))
    }
  }

  private func page(_ visit: Visit, _ errors: FormErrors) async throws -> Page {
    let id: ID<Server> = try visit.id()
    let (view, _) = try await servers.read(id, visit.caller)
    let names = try await reverseNames.list(id, visit.caller)
    let words = visit.words
    return Page(isRefused: !errors.isEmpty, title: view.server.name.name, section: .servers, path: Self.path(id)) {
      html in
      ServerHeader(view: view, tab: nil).write(&html, words)
      html.element("h2", text: words(.reverseNames))
      html.element("p", ["class": "hint"], text: words(.reverseNamesHint))
      guard !names.isEmpty else { return html.element("p", ["class": "empty"], text: words(.noneYet)) }
      table(&html, id, names, visit)
      html.element("h3", text: words(.nameAnAddress))
      form(&html, view.server, names, errors, visit)
    }
  }

  private func table(_ html: inout HTML, _ id: ID<Server>, _ names: [ReverseNames.Element], _ visit: Visit) {
    let words = visit.words
    html.element("div", ["class": "scroll", "tabindex": "0"]) { html in
      html.element("table", ["class": "list"]) { html in
        html.headings([.address, .name, .actions], words)
        html.element("tbody") { html in
          for element in names {
            html.element("tr") { html in
              html.element("td", text: element.address.description)
              html.element("td", text: element.name?.name ?? "–")
              html.element("td") { html in
                guard element.isGiven else { return }
                FormWriter(visit: visit).button(
                  &html, .takeDefaultName, to: Self.path(id, "/default"),
                  hidden: [("ip_address", element.address.description)])
              }
            }
          }
        }
      }
    }
  }

  private func form(
    _ html: inout HTML, _ server: Server, _ names: [ReverseNames.Element], _ errors: FormErrors, _ visit: Visit
  ) {
    let words = visit.words
    let writer = FormWriter(visit: visit, form: visit.form, errors: errors)
    let networks = server.visibleAddresses.ipv6.filter(\.isWhole).map(\.description)
    writer.write(&html, to: Self.path(server.id), class: "stack") { html in
      if networks.isEmpty {
        let addresses = names.map { (value: $0.address.description, label: $0.address.description) }
        writer.choice(&html, "ip_address", words(.address), addresses)
      } else {
        writer.text(
          &html, "ip_address", words(.address), value: names[0].address.description,
          hint: words(.anyAddressOf(networks.joined(separator: ", "))), limit: 45, isRequired: true)
      }
      writer.text(
        &html, "ptr", words(.reverseName), hint: words(.reverseNameHint), limit: Hostname.maximumLength,
        isRequired: true)
      writer.submit(&html, .save)
    }
  }
}
