import Core
import Engine
import HTML

/// The pages for permanent changes of a server: names, plan, operating system, and deletion.
struct ServerChangePages {
  let useCases: UseCases

  var routes: [PanelRoute] {
    [
      .get("/servers/{id}/settings") { visit in .page(try await settings(visit, FormErrors())) },
      .post("/servers/{id}/settings", change),
      .post("/servers/{id}/delete", delete),
      .get("/servers/{id}/resize") { visit in .page(try await resizing(visit, FormErrors())) },
      .post("/servers/{id}/resize", resize),
      .get("/servers/{id}/move") { visit in .page(try await moving(visit, FormErrors())) },
      .post("/servers/{id}/move", move),
      .get("/servers/{id}/rebuild") { visit in .page(try await rebuilding(visit, FormErrors())) },
      .post("/servers/{id}/rebuild", rebuild),
    ]
  }

  private func view(_ visit: Visit) async throws -> Servers.View {
    try await useCases.servers.read(try visit.id(), visit.caller).0
  }

  /// Runs the body, or shows the form again with its errors.
  private func carryOut(
    _ visit: Visit, _ page: (Visit, FormErrors) async throws -> Page, _ body: () async throws -> Answer
  ) async throws -> Answer {
    do {
      return try await body()
    } catch let failure as Failure {
      guard let errors = FormErrors(failure, visit.words) else { throw failure }
      return .page(try await page(visit, errors))
    }
  }

  // MARK: Settings

  @Sendable private func change(_ visit: Visit) async throws -> Answer {
    let id: ID<Server> = try visit.id()
    var missing = FormErrors()
    missing.require(["name", "hostname"], in: visit.form, visit.words)
    guard missing.isEmpty else { return .page(try await settings(visit, missing)) }
    guard let labels = LabelField.labels(visit.form["labels"] ?? "") else {
      missing.add("labels", visit.words(.labelRule))
      return .page(try await settings(visit, missing))
    }
    return try await carryOut(visit, settings) {
      var errors = FieldErrors()
      var change = ServerChange(
        name: visit.form["name"].flatMap { ServerFields.name($0, &errors) },
        hostname: visit.form["hostname"].flatMap { ServerFields.hostname($0, &errors) },
        isBackupEnabled: visit.form["backups"] != nil)
      change.labels = labels
      change.isDeleteProtected = visit.form["protection"] != nil
      try errors.throwIfAny()
      _ = try await useCases.servers.update(id, change, visit.caller)
      return .redirect(ServerPages.path(id, "/settings"))
    }
  }

  @Sendable private func delete(_ visit: Visit) async throws -> Answer {
    let server = try await view(visit).server
    guard let typed = visit.form["confirmation"], typed.isPlain(atMost: 64), typed == server.name.name else {
      var errors = FormErrors()
      errors.add("confirmation", visit.words(.nameDiffers))
      return .page(try await settings(visit, errors))
    }
    return try await carryOut(visit, settings) {
      try await useCases.servers.delete(server.id, visit.caller)
      return .redirect(ServerListPage.path)
    }
  }

  private func settings(_ visit: Visit, _ errors: FormErrors) async throws -> Page {
    let view = try await view(visit)
    let (server, words) = (view.server, visit.words)
    let isDeletion = visit.form.has("confirmation")
    return Page(
      isRefused: !errors.isEmpty, title: server.name.name, section: .servers,
      path: ServerPages.path(server.id, "/settings")
    ) { html in
      ServerHeader(view: view, tab: .settings).write(&html, words)
      let writer = FormWriter(visit: visit, form: visit.form, errors: isDeletion ? FormErrors() : errors)
      writer.write(&html, to: ServerPages.path(server.id, "/settings"), class: "stack") { html in
        writer.text(
          &html, "name", words(.name), value: server.name.name, hint: words(.nameRule), limit: 64, isRequired: true)
        writer.text(
          &html, "hostname", words(.hostname), value: server.hostname.name, limit: 253, isRequired: true)
        writer.check(
          &html, "backups", words(.dailyBackups), isOn: server.isBackupEnabled, hint: words(.dailyBackupsHint),
          wasSent: visit.form.has("form") && !isDeletion)
        writer.check(
          &html, "protection", words(.deleteProtection), isOn: server.isDeleteProtected,
          hint: words(.deleteProtectionHint), wasSent: visit.form.has("form") && !isDeletion)
        writer.text(
          &html, "labels", words(.labels), value: LabelField.text(of: server.labels), hint: words(.labelRule),
          limit: LabelField.longest)
        writer.submit(&html, .save)
      }
      html.element("h2", text: words(.planAndSystem))
      html.element("div", ["class": "actions"]) { html in
        html.element("a", ["class": "button", "href": ServerPages.path(server.id, "/resize")], text: words(.resize))
        html.element("a", ["class": "button", "href": ServerPages.path(server.id, "/move")], text: words(.move))
        html.element("a", ["class": "button", "href": ServerPages.path(server.id, "/rebuild")], text: words(.rebuild))
        html.element(
          "a", ["class": "button", "href": ServerPages.path(server.id, "/rescue")], text: words(.rescueSystem))
        html.element(
          "a", ["class": "button", "href": ServerPages.path(server.id, "/reset-password")], text: words(.resetPassword))
      }
      html.element("h2", text: words(.deleteServer))
      html.element("p", text: words(.deleteServerHint))
      let last = FormWriter(visit: visit, form: visit.form, errors: isDeletion ? errors : FormErrors())
      last.write(&html, to: ServerPages.path(server.id, "/delete"), class: "stack danger-zone") { html in
        last.text(&html, "confirmation", words(.typeToDelete(server.name.name)), limit: 64)
        last.submit(&html, .deleteServer, class: "danger")
      }
    }
  }

  // MARK: Plan

  @Sendable private func resize(_ visit: Visit) async throws -> Answer {
    let id: ID<Server> = try visit.id()
    return try await carryOut(visit, resizing) {
      let plan: Reference<Plan> = visit.form["plan"].flatMap { Reference($0) } ?? .id(ID(-1))
      _ = try await useCases.servers.resize(id, .init(plan: plan), visit.caller)
      return .redirect(ServerPages.path(id))
    }
  }

  private func resizing(_ visit: Visit, _ errors: FormErrors) async throws -> Page {
    let view = try await view(visit)
    let words = visit.words
    let catalogue = try await useCases.catalogue.catalogue(for: visit.caller)
    let plans = catalogue.plans.filter { $0.isAvailable && $0.locations.contains(view.server.location) }
      .sorted { ($0.pricePerHour, $0.id) < ($1.pricePerHour, $1.id) }
    return Page(
      isRefused: !errors.isEmpty, title: words(.resize), section: .servers,
      path: ServerPages.path(view.server.id, "/resize")
    ) { html in
      ServerHeader(view: view, tab: nil).write(&html, words)
      html.element("h2", text: words(.resize))
      html.element("p", text: words(.resizeHint))
      let writer = FormWriter(visit: visit, form: visit.form, errors: errors)
      writer.write(&html, to: ServerPages.path(view.server.id, "/resize"), class: "stack") { html in
        let cards = plans.map { plan in
          FormWriter.Card(
            value: "\(plan.id)", title: plan.name,
            lines: [
              "\(words(.vcpus(plan.vcpus))) · \(Words.memory(plan.memoryMiB)) · \(plan.storageGiB) GiB",
              words(.perHour(visit.amount(plan.pricePerHour))), words(.perMonth(visit.amount(plan.pricePerMonth))),
            ])
        }
        writer.cards(&html, "plan", words(.plan), cards, chosen: "\(view.plan.id)")
        writer.submit(&html, .resize)
      }
    }
  }

  // MARK: Location

  @Sendable private func move(_ visit: Visit) async throws -> Answer {
    let id: ID<Server> = try visit.id()
    return try await carryOut(visit, moving) {
      let location = visit.form["location"].flatMap { $0.isPlain(atMost: 64) ? $0 : nil } ?? ""
      _ = try await useCases.servers.move(id, .init(location: location), visit.caller)
      return .redirect(ServerPages.path(id))
    }
  }

  private func moving(_ visit: Visit, _ errors: FormErrors) async throws -> Page {
    let view = try await view(visit)
    let words = visit.words
    let catalogue = try await useCases.catalogue.catalogue(for: visit.caller)
    let locations = useCases.servers.destinations(of: view.server, in: catalogue)
    return Page(
      isRefused: !errors.isEmpty, title: words(.move), section: .servers,
      path: ServerPages.path(view.server.id, "/move")
    ) { html in
      ServerHeader(view: view, tab: nil).write(&html, words)
      html.element("h2", text: words(.move))
      guard !locations.isEmpty || !errors.isEmpty else { return html.element("p", text: words(.noOtherLocation)) }
      html.element("p", ["class": "notice bad"], text: words(.moveHint))
      let writer = FormWriter(visit: visit, form: visit.form, errors: errors)
      writer.write(&html, to: ServerPages.path(view.server.id, "/move"), class: "stack") { html in
        let cards = locations.map { FormWriter.Card(value: $0.code, title: $0.name, lines: [$0.code]) }
        writer.cards(&html, "location", words(.location), cards, chosen: locations.first?.code ?? "")
        writer.submit(&html, .move)
      }
    }
  }

  // MARK: Operating system

  @Sendable private func rebuild(_ visit: Visit) async throws -> Answer {
    let id: ID<Server> = try visit.id()
    guard visit.form["understood"] != nil else {
      var errors = FormErrors()
      errors.add("understood", visit.words(.fieldIsRequired))
      return .page(try await rebuilding(visit, errors))
    }
    return try await carryOut(visit, rebuilding) {
      var draft = Servers.RebuildDraft()
      draft.operatingSystem = visit.form["system"].flatMap { Reference($0) } ?? .id(ID(-1))
      draft.sshKeys = KeyChoice(visit.form["ssh_key"].flatMap { Reference($0) })
      draft.userData = visit.form["user_data"]?.replacing("\r\n", with: "\n")
      let rebuild = try await useCases.servers.rebuild(id, draft, visit.caller)
      guard let password = rebuild.rootPassword else { return .redirect(ServerPages.path(id)) }
      let view = try await view(visit)
      return .page(
        SecretPage(
          title: visit.words(.serverIsBeingRebuilt(view.server.name.name)),
          text: visit.words(.rootPasswordOnce(view.operatingSystem.username)), secret: password,
          nextPath: ServerPages.path(id), section: .servers
        ).page(visit))
    }
  }

  private func rebuilding(_ visit: Visit, _ errors: FormErrors) async throws -> Page {
    let view = try await view(visit)
    let words = visit.words
    let catalogue = try await useCases.catalogue.catalogue(for: visit.caller)
    let keys = try await SSHKeyPages.list(useCases.sshKeys, visit.caller).elements
    return Page(
      isRefused: !errors.isEmpty, title: words(.rebuild), section: .servers,
      path: ServerPages.path(view.server.id, "/rebuild")
    ) { html in
      ServerHeader(view: view, tab: nil).write(&html, words)
      html.element("h2", text: words(.rebuild))
      html.element("p", ["class": "notice bad"], text: words(.rebuildHint))
      let writer = FormWriter(visit: visit, form: visit.form, errors: errors)
      writer.write(&html, to: ServerPages.path(view.server.id, "/rebuild"), class: "stack") { html in
        writer.cards(
          &html, "system", words(.system),
          catalogue.operatingSystems.filter(\.isAvailable).map {
            FormWriter.Card(value: "\($0.id)", title: $0.name)
          }, chosen: "\(view.operatingSystem.id)")
        writer.choice(
          &html, "ssh_key", words(.sshKey),
          [(value: "", label: words(.sameKeys))] + keys.map { (value: "\($0.id)", label: $0.name) },
          hint: words(.sameKeysHint))
        writer.area(&html, "user_data", words(.userData), hint: words(.userDataAgain), rows: 4, limit: 65_536)
        writer.check(&html, "understood", words(.rebuildUnderstood), wasSent: visit.form.has("form"))
        writer.submit(&html, .rebuild, class: "danger")
      }
    }
  }
}
