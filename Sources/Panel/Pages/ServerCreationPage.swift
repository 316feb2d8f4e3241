import API
import Core
import Engine
import HTML

/// The form that orders a server.
struct ServerCreationPage {
  static let path = "/servers/create"
  /// The choices in the list of keys for a key that is pasted here, and for no key.
  private static let newKey = "new"
  private static let noKey = "password"

  let useCases: UseCases
  let limits: RequestLimits

  var routes: [PanelRoute] { [.get(Self.path, show), .post(Self.path, create)] }

  @Sendable private func show(_ visit: Visit) async throws -> Answer {
    .page(try await page(visit, FormErrors()))
  }

  @Sendable private func create(_ visit: Visit) async throws -> Answer {
    var errors = FormErrors()
    do {
      var draft = try await draft(visit, &errors)
      draft.isWhole = errors.isEmpty
      let created = try await useCases.servers.create(draft, visit.caller)
      let path = ServerPages.path(created.view.server.id)
      guard let password = created.rootPassword else { return .redirect(path) }
      return .page(
        SecretPage(
          title: visit.words(.serverIsBeingCreated(created.view.server.name.name)),
          text: visit.words(.rootPasswordOnce(created.view.operatingSystem.username)), secret: password,
          nextPath: path, section: .servers
        ).page(visit))
    } catch let failure as Failure {
      guard let more = FormErrors(failure, visit.words) else { throw failure }
      errors.add(more)
      return .page(try await page(visit, errors))
    }
  }

  /// The draft with all valid choices. A pasted key is created first, unless the account has it already.
  private func draft(_ visit: Visit, _ errors: inout FormErrors) async throws -> ServerDraft {
    let form = visit.form
    errors.require(["name", "plan", "system", "location"], in: form, visit.words)
    func number(_ text: String?) -> Int64? { text.map { ($0.isPlain(atMost: 19) ? Int64($0) : nil) ?? -1 } }
    var draft = ServerDraft(
      name: form["name"], planID: number(form["plan"]), operatingSystemID: number(form["system"]),
      location: form["location"], hostname: form["hostname"], isBackupEnabled: form["backups"] != nil)
    draft.isDeleteProtected = form["protection"] != nil
    // Browsers send CRLF at the ends of lines.
    draft.userData = form["user_data"]?.replacing("\r\n", with: "\n")
    draft.labels = LabelField.labels(form["labels"] ?? "")
    if draft.labels == nil { errors.add("labels", visit.words(.labelRule)) }
    let firewall = FirewallFields(form, limits: limits)
    if !firewall.isEmpty {
      let (typed, messages) = firewall.firewall(visit.words)
      for message in messages { errors.add("firewall", message) }
      draft.firewall = typed
    }
    switch form["ssh_key"] {
    case Self.newKey?:
      guard let text = form["public_key"] else {
        errors.add("public_key", visit.words(.fieldIsRequired))
        break
      }
      guard errors.isEmpty else { break }
      draft.sshKeys = KeyChoice(.id(try await SSHKeyPages.key(text, name: nil, useCases.sshKeys, visit.unclaimed)))
    case let text? where text != Self.noKey:
      draft.sshKeys = KeyChoice(Reference(text) ?? .id(ID(-1)))
    default: break
    }
    return draft
  }

  private func page(_ visit: Visit, _ errors: FormErrors) async throws -> Page {
    let catalogue = try await useCases.catalogue.catalogue(for: visit.caller)
    let keys = try await SSHKeyPages.list(useCases.sshKeys, visit.caller).elements
    let words = visit.words
    let writer = FormWriter(visit: visit, form: visit.form, errors: errors)
    return Page(
      isRefused: !errors.isEmpty, title: words(.createAServer), section: .servers
    ) { html in
      html.element("h1", text: words(.createAServer))
      writer.write(&html, to: Self.path, class: "stack") { html in
        plans(&html, writer, catalogue, visit)
        systems(&html, writer, catalogue, words)
        locations(&html, writer, catalogue, words)
        html.element("div", ["class": "pair"]) { html in
          writer.text(&html, "name", words(.name), hint: words(.nameRule), limit: 64, isRequired: true)
          writer.text(&html, "hostname", words(.hostname), hint: words(.hostnameRule), limit: 253)
        }
        self.keys(&html, writer, keys, words)
        writer.check(
          &html, "backups", words(.dailyBackups), hint: words(.dailyBackupsHint), wasSent: visit.form.has("form"))
        writer.check(
          &html, "protection", words(.deleteProtection), hint: words(.deleteProtectionHint),
          wasSent: visit.form.has("form"))
        writer.text(&html, "labels", words(.labels), hint: words(.labelRule), limit: LabelField.longest)
        firewall(&html, errors, visit)
        writer.area(&html, "user_data", words(.userData), hint: words(.userDataHint), rows: 4, limit: 65_536)
        writer.submit(&html, .createServer)
      }
    }
  }

  /// Collapsed until something is entered.
  private func firewall(_ html: inout HTML, _ errors: FormErrors, _ visit: Visit) {
    let fields = FirewallFields(visit.form, limits: limits)
    html.element("details", flags: fields.isEmpty ? [] : ["open"]) { html in
      html.element("summary", text: visit.words(.firewall))
      html.element("p", ["class": "hint"], text: visit.words(.firewallHint) + " " + visit.words(.firewallMayNotHold))
      for message in errors["firewall"] { html.element("p", ["class": "error"], text: message) }
      fields.write(&html, visit.words)
    }
  }

  private func plans(_ html: inout HTML, _ writer: FormWriter, _ catalogue: Catalogue, _ visit: Visit) {
    let plans = catalogue.plans.filter(\.isAvailable).sorted { ($0.pricePerHour, $0.id) < ($1.pricePerHour, $1.id) }
    let cards = plans.map { plan in
      FormWriter.Card(
        value: "\(plan.id)", title: plan.name,
        lines: [
          "\(visit.words(.vcpus(plan.vcpus))) · \(Words.memory(plan.memoryMiB)) · \(plan.storageGiB) GiB",
          visit.words(.trafficPerMonth(plan.bandwidthGB)),
          visit.words(.perHour(visit.amount(plan.pricePerHour))),
          visit.words(.perMonth(visit.amount(plan.pricePerMonth))),
          visit.words(.balanceAfterwards(visit.amount(visit.account.balance - plan.pricePerHour))),
        ])
    }
    writer.cards(&html, "plan", visit.words(.plan), cards, chosen: plans.first.map { "\($0.id)" } ?? "")
  }

  private func systems(_ html: inout HTML, _ writer: FormWriter, _ catalogue: Catalogue, _ words: Words) {
    let systems = catalogue.operatingSystems.filter(\.isAvailable)
    writer.cards(
      &html, "system", words(.system), systems.map { FormWriter.Card(value: "\($0.id)", title: $0.name) },
      chosen: systems.first.map { "\($0.id)" } ?? "")
  }

  private func locations(_ html: inout HTML, _ writer: FormWriter, _ catalogue: Catalogue, _ words: Words) {
    let locations = catalogue.locations.filter(\.isActive)
    writer.cards(
      &html, "location", words(.location),
      locations.map { FormWriter.Card(value: $0.code, title: $0.name, lines: [$0.countryName]) },
      chosen: locations.first?.code ?? "")
  }

  private func keys(_ html: inout HTML, _ writer: FormWriter, _ keys: [SSHKey], _ words: Words) {
    let options =
      keys.map { (value: "\($0.id)", label: $0.name) }
      + [(Self.newKey, words(.pasteAKey)), (Self.noKey, words(.passwordInstead))]
    writer.choice(
      &html, "ssh_key", words(.sshKey), options, chosen: keys.first.map { "\($0.id)" } ?? Self.newKey)
    html.element("div", ["data-with": "ssh_key=\(Self.newKey)"]) { html in
      writer.area(&html, "public_key", words(.publicKey), hint: words(.publicKeyHint), limit: 16_384)
    }
  }
}
