import Core
import Engine
import HTML

/// One account, with everything that an operator can do with it.
struct OperatorAccountPage {
  private static let serversShown = 20
  private static let entriesShown = 50

  let operators: Operators
  let sessions: Sessions
  let links: LoginLinkPage

  private var accounts: OperatorAccounts { operators.accounts }
  private var frame: OperatorFrame { OperatorFrame(sessions: sessions, tab: .accounts) }

  static func path(_ id: ID<Account>, _ rest: String = "") -> String { "\(OperatorAccountList.path)/\(id)\(rest)" }

  var routes: [PanelRoute] {
    [
      .operatorGet("/accounts/{id}") { visit in .page(try await page(visit, FormErrors())) },
      .operatorPost("/accounts/{id}/login-link", makeLink),
      .operatorPost("/accounts/{id}/credit", needsKey: true, addCredit),
      .operatorGet("/accounts/{id}/profile") { visit in .page(try await profile(visit, FormErrors())) },
      .operatorPost("/accounts/{id}/profile", update),
      .operatorGet("/accounts/{id}/suspend") { visit in .page(try await suspension(visit, FormErrors())) },
      .operatorPost("/accounts/{id}/suspend", suspend),
      .operatorPost("/accounts/{id}/resume", resume),
    ]
  }

  // MARK: Actions

  @Sendable private func makeLink(_ visit: Visit) async throws -> Answer {
    try await carryOut(visit, page) {
      let account = try await accounts.read(try visit.id()).account
      return try await links.answer(to: visit, for: account, by: visit.operator)
    }
  }

  @Sendable private func addCredit(_ visit: Visit) async throws -> Answer {
    guard let amount = visit.form["amount"].flatMap({ Money(decimal: $0) }) else {
      var errors = FormErrors()
      errors.add("amount", visit.words(.amountRule))
      return .page(try await page(visit, errors))
    }
    return try await carryOut(visit, page) {
      let id: ID<Account> = try visit.id()
      _ = try await accounts.addCredit(amount, to: id, note: visit.form["note"] ?? "", by: visit.operator)
      return .redirect(Self.path(id))
    }
  }

  @Sendable private func update(_ visit: Visit) async throws -> Answer {
    try await carryOut(visit, profileAnew) {
      let id: ID<Account> = try visit.id()
      var change = ProfileFields.change(in: visit.form, isWhole: true)
      let (email, shown) = (visit.form["email"] ?? "", visit.form["shown_email"] ?? "")
      if !email.utf8.elementsEqual(shown.utf8) { change.email = email }
      change.expectedEmail = shown
      change.mayMail = visit.form["mail"] != nil
      _ = try await accounts.update(id, change, by: visit.operator)
      return .redirect(Self.path(id))
    }
  }

  @Sendable private func suspend(_ visit: Visit) async throws -> Answer {
    try await carryOut(visit, suspension) {
      let id: ID<Account> = try visit.id()
      _ = try await accounts.suspend(id, because: visit.form["reason"] ?? "", by: visit.operator)
      return .redirect(Self.path(id))
    }
  }

  @Sendable private func resume(_ visit: Visit) async throws -> Answer {
    try await carryOut(visit, page) {
      let id: ID<Account> = try visit.id()
      _ = try await accounts.suspend(id, because: nil, by: visit.operator)
      return .redirect(Self.path(id))
    }
  }

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

  // MARK: The account

  private func page(_ visit: Visit, _ errors: FormErrors) async throws -> Page {
    let summary = try await accounts.read(try visit.id())
    let account = summary.account
    let cost = try await accounts.hourlyCost(of: account.id)
    var filter = ServerListingFilter()
    filter.accountID = account.id
    let servers = try await operators.servers.list(filter, limit: Self.serversShown)
    let entries = try await Turning<LedgerEntry>(size: Self.entriesShown, id: { "\($0.id)" }) { limit in
      try await accounts.ledger(of: account.id, before: visit.last(), limit: limit)
    }
    let words = visit.words
    return try await frame.page(
      account.email, visit, isRefused: !errors.isEmpty, path: Self.path(account.id)
    ) { html in
      html.element("div", ["class": "title"]) { html in
        html.element("h1", text: account.email)
        html.element("div", ["class": "state"]) { $0.state(of: account, words) }
      }
      let isAboutCredit = visit.form.has("amount")
      if let message = errors.general, !isAboutCredit {
        html.element("div", ["class": "notice bad", "role": "alert"], text: message)
      }
      actions(&html, account, visit)
      figures(&html, summary, cost, visit)
      facts(&html, account, words)
      if account.closedAt == nil { credit(&html, account, isAboutCredit ? errors : FormErrors(), visit) }
      html.element("h2", text: words(.servers))
      OperatorServerList.table(&html, servers, words)
      html.element("p") { html in
        html.element(
          "a", ["href": "\(OperatorServerList.path)?account=\(account.id)"], text: words(.allServersOfAccount))
      }
      html.element("h2", text: words(.ledger))
      ledger(&html, entries, words)
      entries.write(&html, path: Self.path(account.id), [], visit)
    }
  }

  private func actions(_ html: inout HTML, _ account: Account, _ visit: Visit) {
    let words = visit.words
    html.element("div", ["class": "actions"]) { html in
      if account.closedAt == nil, account.isOperator {
        html.element("p", ["class": "hint"], text: words(.operatorsAreForTheHost))
      } else if account.closedAt == nil {
        let writer = FormWriter(visit: visit)
        writer.button(&html, .makeLoginLink, to: Self.path(account.id, "/login-link"))
        html.element("a", ["class": "button", "href": Self.path(account.id, "/profile")], text: words(.changeProfile))
        if account.suspension.byOperatorSince == nil {
          html.element("a", ["class": "button", "href": Self.path(account.id, "/suspend")], text: words(.suspend))
        } else {
          writer.button(&html, .liftSuspension, to: Self.path(account.id, "/resume"), class: "main")
        }
      }
      html.element(
        "a", ["class": "button", "href": "\(OperatorAuditPage.path)?account=\(account.id)"], text: words(.audit))
    }
  }

  private func figures(_ html: inout HTML, _ summary: AccountSummary, _ cost: Money, _ visit: Visit) {
    let words = visit.words
    html.element("dl", ["class": "figures"]) { html in
      html.figure(words(.balance), visit.amount(summary.account.balance))
      html.figure(words(.costNow), words(.perHour(visit.amount(cost))))
      html.figure(words(.servers), "\(summary.serverCount)")
      html.figure(words(.tokens), "\(summary.tokenCount)")
      html.figure(words(.sshKeys), "\(summary.sshKeyCount)")
    }
  }

  private func facts(_ html: inout HTML, _ account: Account, _ words: Words) {
    func time(_ html: inout HTML, _ phrase: Phrase, _ time: Timestamp?) {
      guard let time else { return }
      html.element("div") { html in
        html.element("dt", text: words(phrase))
        html.element("dd") { $0.time(time) }
      }
    }
    html.element("dl", ["class": "facts"]) { html in
      html.figure(words(.accountNumber), "\(account.id)")
      let name = [account.firstName, account.lastName].filter { !$0.isEmpty }.joined(separator: " ")
      if !name.isEmpty { html.figure(words(.name), name) }
      if !account.companyName.isEmpty { html.figure(words(.company), account.companyName) }
      html.figure(words(.languageOfNotices), account.language.ownName)
      if account.mayMail { html.figure(words(.mail), words(.mayMail)) }
      time(&html, .customerSince, account.createdAt)
      time(&html, .suspendedSince, account.suspension.byOperatorSince)
      if let reason = account.suspension.operatorReason, !reason.isEmpty { html.figure(words(.reason), reason) }
      time(&html, .outOfCreditSince, account.suspension.outOfCreditSince)
      time(&html, .serversAreDeletedAt, account.suspension.deletionAt)
      time(&html, .closedAt, account.closedAt)
    }
  }

  private func credit(_ html: inout HTML, _ account: Account, _ errors: FormErrors, _ visit: Visit) {
    let words = visit.words
    html.element("h2", text: words(.addCredit))
    let writer = FormWriter(visit: visit, form: errors.isEmpty ? Form() : visit.form, errors: errors)
    writer.write(&html, to: Self.path(account.id, "/credit"), class: "stack") { html in
      html.element("div", ["class": "pair"]) { html in
        writer.text(
          &html, "amount", words(.amount), hint: words(.amountHint(visit.currency)), limit: 32, isRequired: true)
        writer.text(
          &html, "note", words(.note), hint: words(.noteHint), limit: OperatorAccounts.noteRule.maximumLength)
      }
      writer.submit(&html, .addCredit)
    }
  }

  private func ledger(_ html: inout HTML, _ entries: Turning<LedgerEntry>, _ words: Words) {
    guard !entries.elements.isEmpty else { return html.element("p", text: words(.nothingFound)) }
    html.table([.time, .reason, .amount, .balance, .server, .note], words) { html in
      for entry in entries.elements { html.row(of: entry, words) }
    }
  }

  // MARK: Forms on pages of their own

  /// Shows a form again that was refused. The entered values are dropped if the account has changed since the form was shown.
  private func profileAnew(_ visit: Visit, _ errors: FormErrors) async throws -> Page {
    let account = try await accounts.read(try visit.id()).account
    var visit = visit
    if visit.form["shown_email"]?.utf8.elementsEqual(account.email.utf8) != true { visit.form = Form() }
    return try await profile(visit, errors)
  }

  private func profile(_ visit: Visit, _ errors: FormErrors) async throws -> Page {
    let account = try await accounts.read(try visit.id()).account
    let words = visit.words
    let path = Self.path(account.id, "/profile")
    return try await frame.page(words(.changeProfile), visit, isRefused: !errors.isEmpty, path: path) { html in
      crumb(&html, account)
      html.element("h1", text: words(.changeProfile))
      if account.isOperator { return html.element("p", text: words(.operatorsAreForTheHost)) }
      let writer = FormWriter(visit: visit, form: visit.form, errors: errors)
      writer.write(&html, to: path, class: "stack") { html in
        html.void("input", ["type": "hidden", "name": "shown_email", "value": account.email])
        writer.text(
          &html, "email", words(.email), value: account.email, hint: words(.otherEmailHint), kind: "email",
          limit: EmailAddress.longestBytes, isRequired: true)
        ProfileFields.write(&html, writer, of: account, words)
        writer.check(&html, "mail", words(.mayMail), isOn: account.mayMail, wasSent: visit.form.has("form"))
        writer.submit(&html, .save)
      }
    }
  }

  private func suspension(_ visit: Visit, _ errors: FormErrors) async throws -> Page {
    let summary = try await accounts.read(try visit.id())
    let account = summary.account
    let words = visit.words
    let path = Self.path(account.id, "/suspend")
    return try await frame.page(words(.suspend), visit, isRefused: !errors.isEmpty, path: path) { html in
      crumb(&html, account)
      html.element("h1", text: words(.suspendQuestion(account.email)))
      if account.isOperator { return html.element("p", text: words(.operatorsAreForTheHost)) }
      html.element("p", text: words(.suspendAccountHint(summary.serverCount)))
      let writer = FormWriter(visit: visit, form: visit.form, errors: errors)
      writer.write(&html, to: path, class: "stack") { html in
        writer.text(
          &html, "reason", words(.reason), hint: words(.accountReasonHint),
          limit: AccountSuspension.reasonRule.maximumLength)
        html.element("div", ["class": "actions"]) { html in
          html.element("button", ["class": "danger"], text: words(.suspend))
          html.element("a", ["class": "button", "href": Self.path(account.id)], text: words(.cancel))
        }
      }
    }
  }

  private func crumb(_ html: inout HTML, _ account: Account) {
    html.element("p", ["class": "crumb"]) { html in
      html.element("a", ["href": Self.path(account.id)], text: account.email)
    }
  }
}
