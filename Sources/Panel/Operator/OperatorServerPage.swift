import Core
import Engine
import HTML

import struct Foundation.UUID

/// One server of any account, and what an operator can do with it.
struct OperatorServerPage {
  private static let operationsShown = 20

  let operators: Operators
  let sessions: Sessions
  let clock: any WallClock

  private var servers: OperatorServers { operators.servers }
  private var frame: OperatorFrame { OperatorFrame(sessions: sessions, tab: .servers) }

  static func path(_ id: ID<Server>, _ rest: String = "") -> String { "\(OperatorServerList.path)/\(id)\(rest)" }

  var routes: [PanelRoute] {
    [
      .operatorGet("/servers/{id}") { visit in .page(try await page(visit, FormErrors())) },
      .operatorPost("/servers/{id}/start") { try await perform(.start, $0, page) },
      .operatorPost("/servers/{id}/stop") { try await perform(.stop, $0, page) },
      .operatorGet("/servers/{id}/power-off") { visit in .page(try await poweringOff(visit, FormErrors())) },
      .operatorPost("/servers/{id}/power-off") { try await perform(.hardStop, $0, poweringOff) },
      .operatorGet("/servers/{id}/suspend") { visit in .page(try await suspension(visit, FormErrors())) },
      .operatorPost("/servers/{id}/suspend") { visit in
        try await carryOut(visit, suspension) { id in
          try await servers.suspend(id, because: visit.form["reason"] ?? "", by: visit.operator)
        }
      },
      .operatorPost("/servers/{id}/resume") { visit in
        try await carryOut(visit, page) { id in try await servers.suspend(id, because: nil, by: visit.operator) }
      },
      .operatorGet("/servers/{id}/delete") { visit in .page(try await deletion(visit, FormErrors())) },
      .operatorPost("/servers/{id}/delete", delete),
    ]
  }

  // MARK: Actions

  private func perform(
    _ action: PowerAction, _ visit: Visit, _ page: (Visit, FormErrors) async throws -> Page
  ) async throws -> Answer {
    try await carryOut(visit, page) { id in try await servers.perform(action, on: id, by: visit.operator) }
  }

  @Sendable private func delete(_ visit: Visit) async throws -> Answer {
    let server = try await servers.read(try visit.id()).server
    guard let typed = visit.form["confirmation"], typed.isPlain(atMost: 64), typed == server.name.name else {
      var errors = FormErrors()
      errors.add("confirmation", visit.words(.nameDiffers))
      return .page(try await deletion(visit, errors))
    }
    return try await carryOut(visit, deletion, nextPath: OperatorServerList.path) { id in
      try await servers.delete(id, by: visit.operator)
    }
  }

  private func carryOut(
    _ visit: Visit, _ page: (Visit, FormErrors) async throws -> Page, nextPath: String? = nil,
    _ body: (ID<Server>) async throws -> Void
  ) async throws -> Answer {
    let id: ID<Server> = try visit.id()
    do {
      try await body(id)
      return .redirect(nextPath ?? Self.path(id))
    } catch let failure as Failure {
      guard let errors = FormErrors(failure, visit.words) else { throw failure }
      return .page(try await page(visit, errors))
    }
  }

  // MARK: The server

  private func page(_ visit: Visit, _ errors: FormErrors) async throws -> Page {
    let listing = try await servers.read(try visit.id())
    let server = listing.server
    let catalogue = try await servers.catalogue()
    let history = try await servers.history(of: server, limit: Self.operationsShown)
    let words = visit.words
    return try await frame.page(
      server.name.name, visit, isRefused: !errors.isEmpty, path: Self.path(server.id),
      isMoving: server.status.isTransitional || listing.deletedAt != nil
    ) { html in
      html.element("div", ["id": "overview"], flags: ["data-live"]) { html in
        html.element("div", ["class": "title"]) { html in
          html.element("h1", text: server.name.name)
          html.element("div", ["class": "state"]) { $0.status(of: listing, words) }
        }
        if let message = errors.general {
          html.element("div", ["class": "notice bad", "role": "alert"], text: message)
        }
        actions(&html, listing, visit)
        facts(&html, listing, catalogue, visit)
        html.element("h2", text: words(.history))
        table(&html, history, words)
      }
    }
  }

  private func actions(_ html: inout HTML, _ listing: ServerListing, _ visit: Visit) {
    let (server, words) = (listing.server, visit.words)
    let writer = FormWriter(visit: visit)
    func link(_ html: inout HTML, _ phrase: Phrase, _ rest: String) {
      html.element("a", ["class": "button", "href": Self.path(server.id, rest)], text: words(phrase))
    }
    html.element("div", ["class": "actions"]) { html in
      if listing.deletedAt == nil {
        switch server.status {
        case .active:
          writer.button(&html, .stop, to: Self.path(server.id, "/stop"))
          link(&html, .powerOff, "/power-off")
        case .stopped: writer.button(&html, .start, to: Self.path(server.id, "/start"), class: "main")
        case .error where server.machine.hasDisk:
          writer.button(&html, .start, to: Self.path(server.id, "/start"), class: "main")
        case .error, .provisioning, .starting, .stopping, .rebooting, .suspended: break
        }
        if listing.suspensionReason == nil {
          link(&html, .suspend, "/suspend")
        } else {
          writer.button(&html, .liftSuspension, to: Self.path(server.id, "/resume"), class: "main")
        }
        link(&html, .deleteServer, "/delete")
      }
      html.element(
        "a", ["class": "button", "href": "\(OperatorAuditPage.path)?server=\(server.id)"], text: words(.audit))
    }
  }

  private func facts(_ html: inout HTML, _ listing: ServerListing, _ catalogue: Catalogue, _ visit: Visit) {
    let (server, words) = (listing.server, visit.words)
    html.element("dl", ["class": "facts"]) { html in
      html.element("div") { html in
        html.element("dt", text: words(.account))
        html.element("dd") { html in
          html.element("a", ["href": OperatorAccountPage.path(server.accountID)], text: listing.email)
        }
      }
      html.figure("ID", "\(server.id)")
      html.figure("UUID", server.uuid.text)
      if let failure = listing.failure { html.figure(words(.failure), failure) }
      if let reason = listing.suspensionReason {
        html.figure(words(.suspendedByOperator), reason.isEmpty ? "–" : reason)
      }
      html.figure(words(.hostname), server.hostname.name)
      for address in server.addresses.all { html.figure(words(.address), address.description) }
      html.figure(words(.host), listing.host)
      html.figure(words(.location), catalogue.location(code: server.location)?.name ?? server.location)
      html.figure(words(.plan), catalogue.plan(server.planID)?.name ?? "–")
      html.figure(words(.price), words(.perHour(visit.amount(listing.pricePerHour))))
      html.figure(words(.system), catalogue.operatingSystem(server.operatingSystemID)?.name ?? "–")
      html.figure(words(.imageVersion), server.machine.imageVersion ?? "–")
      html.figure(words(.dailyBackups), words(server.isBackupEnabled ? .yes : .no))
      html.figure(words(.deleteProtection), words(server.isDeleteProtected ? .yes : .no))
      if !server.labels.isEmpty { html.figure(words(.labels), LabelField.text(of: server.labels)) }
      html.element("div") { html in
        html.element("dt", text: words(.createdAt))
        html.element("dd") { $0.time(server.createdAt) }
      }
    }
  }

  private func table(_ html: inout HTML, _ history: [OperationRecord], _ words: Words) {
    guard !history.isEmpty else { return html.element("p", text: words(.nothingFound)) }
    html.table([.time, .operation, .result, .duration, .askedForBy], words) { html in
      for record in history { html.row(of: record, at: clock.now, nobody: .operatorOrService, words) }
    }
  }

  // MARK: Confirmations

  private func poweringOff(_ visit: Visit, _ errors: FormErrors) async throws -> Page {
    let server = try await servers.read(try visit.id()).server
    return try await question(
      server, visit.words(.powerOffServer(server.name.name)), visit.words(.powerOffHint), "/power-off", .powerOff,
      errors, visit)
  }

  private func suspension(_ visit: Visit, _ errors: FormErrors) async throws -> Page {
    let server = try await servers.read(try visit.id()).server
    let words = visit.words
    return try await question(
      server, words(.suspendQuestion(server.name.name)), words(.suspendServerHint), "/suspend", .suspend, errors, visit
    ) { html, writer in
      writer.text(
        &html, "reason", words(.reason), hint: words(.serverReasonHint),
        limit: AccountSuspension.reasonRule.maximumLength)
    }
  }

  private func deletion(_ visit: Visit, _ errors: FormErrors) async throws -> Page {
    let listing = try await servers.read(try visit.id())
    let (server, words) = (listing.server, visit.words)
    let protection = server.isDeleteProtected ? " " + words(.customerHasProtectedIt) : ""
    return try await question(
      server, words(.deleteServerOf(server.name.name, listing.email)), words(.deleteServerHint) + protection, "/delete",
      .deleteServer, errors, visit
    ) { html, writer in
      writer.text(&html, "confirmation", words(.typeToDelete(server.name.name)), limit: 64)
    }
  }

  private func question(
    _ server: Server, _ title: String, _ text: String, _ rest: String, _ action: Phrase, _ errors: FormErrors,
    _ visit: Visit, _ fields: (inout HTML, FormWriter) -> Void = { _, _ in }
  ) async throws -> Page {
    let path = Self.path(server.id, rest)
    return try await frame.page(title, visit, isRefused: !errors.isEmpty, path: path) { html in
      html.element("h1", text: title)
      html.element("p", text: text)
      let writer = FormWriter(visit: visit, form: visit.form, errors: errors)
      writer.write(&html, to: path, class: "stack") { html in
        fields(&html, writer)
        html.element("div", ["class": "actions"]) { html in
          html.element("button", ["class": "danger"], text: visit.words(action))
          html.element("a", ["class": "button", "href": Self.path(server.id)], text: visit.words(.cancel))
        }
      }
    }
  }
}
