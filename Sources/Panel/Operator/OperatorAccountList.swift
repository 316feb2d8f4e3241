import API
import Core
import Engine
import HTML

/// All accounts, and the form for a new one.
struct OperatorAccountList {
  static let path = OperatorFrame.path + "/accounts"
  static let creationPath = path + "/create"

  let accounts: OperatorAccounts
  let sessions: Sessions
  let links: LoginLinkPage

  private var frame: OperatorFrame { OperatorFrame(sessions: sessions, tab: .accounts) }

  var routes: [PanelRoute] {
    [
      .operatorGet("") { _ in .redirect(Self.path) },
      .operatorGet("/accounts", show),
      .operatorGet("/accounts/create") { visit in .page(try await creation(visit, FormErrors())) },
      .operatorPost("/accounts/create", needsKey: true, create),
    ]
  }

  @Sendable private func show(_ visit: Visit) async throws -> Answer {
    let text = visit.sought("search")
    let page = try await Turning<Account>(id: { "\($0.id)" }) { limit in
      if visit.seeksNothing("search") { return [] }
      // A number is an account's ID, because no e-mail address is a number.
      if let text, case .id(let id)? = Reference<Account>(text) {
        return try await accounts.find("\(id)").map { [$0] } ?? []
      }
      return try await accounts.list(beginning: text, after: visit.last(), limit: limit)
    }
    let words = visit.words
    return .page(
      try await frame.page(words(.accounts), visit) { html in
        html.element("div", ["class": "title"]) { html in
          html.element("h1", text: words(.accounts))
          html.element("a", ["class": "button main", "href": Self.creationPath], text: words(.createAccount))
        }
        html.element("form", ["method": "get", "action": Self.path, "class": "search", "role": "search"]) { html in
          html.searchField("search", words(.searchAccounts), text)
          html.element("button", text: words(.search))
        }
        guard !page.elements.isEmpty else { return html.element("p", text: words(.nothingFound)) }
        html.table([.email, .name, .balance, .status, .createdAt], words) { html in
          for account in page.elements { row(&html, account, visit) }
        }
        page.write(&html, path: Self.path, [("search", text)], visit)
      })
  }

  private func row(_ html: inout HTML, _ account: Account, _ visit: Visit) {
    html.element("tr") { html in
      html.element("td") { html in
        html.element("a", ["class": "name", "href": OperatorAccountPage.path(account.id)], text: account.email)
        html.element("span", ["class": "sub"], text: "\(account.id)")
      }
      html.element("td", text: account.ownerName)
      html.element("td", ["class": "number"], text: visit.amount(account.balance))
      html.element("td") { $0.state(of: account, visit.words) }
      html.element("td") { $0.time(account.createdAt) }
    }
  }

  // MARK: A new account

  @Sendable private func create(_ visit: Visit) async throws -> Answer {
    let (form, words) = (visit.form, visit.words)
    var errors = FormErrors()
    errors.require(["email"], in: form, words)
    let credit = form["amount"].map { Money(decimal: $0) } ?? .zero
    if credit == nil { errors.add("amount", words(.amountRule)) }
    guard errors.isEmpty, let credit, let email = form["email"] else { return .page(try await creation(visit, errors)) }
    do {
      let account = try await accounts.create(
        email: email, ProfileFields.change(in: form, isWhole: false), openingCredit: credit, by: visit.operator)
      // The form was about the account: if making the link fails, it can be made on the account's page.
      return try await links.answer(to: visit, for: account, by: .person(visit.unclaimed))
    } catch let failure as Failure {
      guard let errors = FormErrors(failure, words) else { throw failure }
      return .page(try await creation(visit, errors))
    }
  }

  private func creation(_ visit: Visit, _ errors: FormErrors) async throws -> Page {
    let words = visit.words
    return try await frame.page(
      words(.createAnAccount), visit, isRefused: !errors.isEmpty, path: Self.creationPath
    ) { html in
      html.element("h1", text: words(.createAnAccount))
      let writer = FormWriter(visit: visit, form: visit.form, errors: errors)
      writer.write(&html, to: Self.creationPath, class: "stack") { html in
        writer.text(
          &html, "email", words(.email), kind: "email", limit: EmailAddress.longestBytes, isRequired: true)
        ProfileFields.write(&html, writer, of: nil, words)
        writer.text(&html, "amount", words(.openingCredit), hint: words(.openingCreditHint(visit.currency)), limit: 32)
        html.element("p", ["class": "hint"], text: words(.createAccountHint))
        writer.submit(&html, .createAccount)
      }
    }
  }
}

/// The fields of a form for the account's owner.
enum ProfileFields {
  /// - Parameter isWhole: Whether an empty field removes the earlier value.
  static func change(in form: Form, isWhole: Bool) -> ProfileChange {
    func text(_ name: StaticString) -> String? { form[name] ?? (isWhole && form.has(name) ? "" : nil) }
    return ProfileChange(
      firstName: text("first_name"), lastName: text("last_name"), companyName: text("company"),
      language: form.choice("language").flatMap { Language(rawValue: $0) })
  }

  /// - Parameter account: Nil for a new one.
  static func write(_ html: inout HTML, _ writer: FormWriter, of account: Account?, _ words: Words) {
    let limit = Account.nameRule.maximumLength
    html.element("div", ["class": "pair"]) { html in
      writer.text(&html, "first_name", words(.firstName), value: account?.firstName ?? "", limit: limit)
      writer.text(&html, "last_name", words(.lastName), value: account?.lastName ?? "", limit: limit)
    }
    writer.text(&html, "company", words(.company), value: account?.companyName ?? "", limit: limit)
    writer.choice(
      &html, "language", words(.languageOfNotices), Language.allCases.map { ($0.rawValue, $0.ownName) },
      chosen: (account?.language ?? .english).rawValue)
  }
}

/// Shows a link by which the account's owner signs in.
struct LoginLinkPage {
  let accounts: OperatorAccounts
  let publicURL: PublicURL?

  func answer(to visit: Visit, for account: Account, by operator: Operator) async throws -> Answer {
    let link = try await accounts.makeLink(for: account.id, by: `operator`)
    let reached = PublicURL(of: visit.visitor.request, visit.visitor.context.origin)
    let base = (publicURL ?? reached)?.description ?? ""
    return .page(
      SecretPage(
        title: account.email, text: visit.words(.loginLinkOnce(account.email)), secret: base + link.path,
        nextPath: OperatorAccountPage.path(account.id), section: .operator
      ).page(visit))
  }
}

extension Account {
  /// Empty where no name is known.
  var ownerName: String {
    [firstName, lastName, companyName].filter { !$0.isEmpty }.joined(separator: " ")
  }
}

extension HTML {
  mutating func state(of account: Account, _ words: Words) {
    let (phrase, kind): (Phrase, String) =
      if account.closedAt != nil {
        (.accountIsClosed, "")
      } else {
        switch account.suspension.cause {
        case .operator?: (.accountIsSuspended, "suspended")
        case .credit?: (.accountIsOutOfCredit, "error")
        case nil: (.accountIsOpen, "active")
        }
      }
    element("span", ["class": "status \(kind)"]) { html in
      html.element("span", ["class": "dot"], text: "")
      html.element("span", text: words(phrase))
    }
    if account.isOperator { element("span", ["class": "sub"], text: words(.isOperator)) }
  }
}
