import Core
import Engine
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// All accounts, for operators' programs. The routes below an account have the same handlers as its customer's routes.
struct OperatorAccountRoutes {
  private static let path = "/operator/accounts/"
  private static let fieldOrder = [
    "email", "first_name", "last_name", "company_name", "language", "smtp_outbound", "credit", "amount", "note",
    "reason",
  ]

  let accounts: OperatorAccounts
  let statements: StatementRoutes
  let tokens: TokenRoutes
  /// Whether there is a panel for a login link to lead to.
  let hasPanel: Bool
  let clock: any WallClock

  var endpoints: [Endpoint] {
    let (read, write) = (Operators.toRead, Operators.toChange)
    return [
      Endpoint(.get, Self.path, read, handle: list),
      Endpoint(.post, Self.path, write, handle: create),
      Endpoint(.get, Self.path + "{id}/", read) { try await reply(try await accounts.account(try $0.id())) },
      Endpoint(.patch, Self.path + "{id}/", write, handle: update),
      Endpoint(.delete, Self.path + "{id}/", write, handle: close),
      Endpoint(.post, Self.path + "{id}/credit/", write, handle: addCredit),
      Endpoint(.post, Self.path + "{id}/suspend/", write, handle: suspend),
      Endpoint(.post, Self.path + "{id}/resume/", write, handle: resume),
      Endpoint(.post, Self.path + "{id}/login-link/", write, handle: makeLink),
      Endpoint(.get, Self.path + "{id}/ledger/", read, alternatives: [StatementRoutes.csv]) {
        try await statements.ledger(try await operating($0))
      },
      Endpoint(.get, Self.path + "{id}/usage/", read, alternatives: [StatementRoutes.csv]) {
        try await statements.usage(try await operating($0))
      },
      Endpoint(.get, Self.path + "{id}/tokens/", read) { try await tokens.list(try await operating($0)) },
      Endpoint(.post, Self.path + "{id}/tokens/", write) { try await tokens.create(try await operating($0)) },
      Endpoint(.get, Self.path + "{id}/tokens/{token_id}/", read) {
        try await tokens.read(try await operating($0), try $0.id("token_id"))
      },
      Endpoint(.delete, Self.path + "{id}/tokens/{token_id}/", write) {
        try await tokens.revoke(try await operating($0), try $0.id("token_id"))
      },
    ]
  }

  /// The request, acting on the account in the path. Throws `notFound` if there is none.
  private func operating(_ request: APIRequest) async throws -> APIRequest {
    request.operating(on: try await accounts.account(try request.id()).id)
  }

  @Sendable private func list(_ request: APIRequest) async throws -> Response {
    var errors = WireErrors()
    var filter = AccountFilter()
    filter.email = try request.query("email")
    filter.beginning = try request.query("search")
    filter.state = try request.choice("state", of: AccountFilter.State.allCases, &errors)
    let order = try request.order(by: AccountKey.allCases, &errors)
    try errors.throwIfAny(order: ["state", "ordering"])
    let page = try await accounts.list(filter, order: order, page: try request.page())
    var costs: [ID<Account>: Money] = [:]
    for account in page.elements { costs[account.id] = try await accounts.hourlyCost(of: account.id) }
    let currency = statements.statements.currency
    return request.list(page) { [costs] writer, account in
      OperatorWire.account(&writer, account, currency: currency, hourlyCost: costs[account.id] ?? .zero)
    }
  }

  @Sendable private func create(_ request: APIRequest) async throws -> Response {
    var fields = try await request.fields()
    let email = fields.string("email", isRequired: true, violation: Self.emailViolation)
    let profile = Self.profile(from: &fields)
    let credit = fields.amount("credit", isRequired: false, in: OperatorAccounts.openingCredits)
    let account = try await fields.carryOut(order: Self.fieldOrder, names: FieldNames([.amount: "credit"])) {
      try fields.errors.throwIfAny(order: Self.fieldOrder)
      return try await accounts.create(
        email: email ?? "", profile, openingCredit: credit ?? .zero, by: .program(request.caller))
    }
    return try await reply(account, status: .created)
  }

  @Sendable private func update(_ request: APIRequest) async throws -> Response {
    let id = try await accounts.account(try request.id()).id
    var fields = try await request.fields()
    var change = Self.profile(from: &fields)
    change.email = fields.string("email", isRequired: false, violation: Self.emailViolation)
    change.language = fields.choice("language", of: Language.self)
    change.mayMail = fields.boolean("smtp_outbound", isRequired: false)
    let wanted = change
    let account = try await fields.carryOut(order: Self.fieldOrder) {
      try fields.errors.throwIfAny(order: Self.fieldOrder)
      return try await accounts.update(id, wanted, by: .program(request.caller))
    }
    return try await reply(account)
  }

  private static func emailViolation(in text: String) -> String? {
    Account.isPossible(email: text) ? nil : "Enter a valid email address."
  }

  private static func profile(from fields: inout FieldReader) -> ProfileChange {
    let rule = Account.nameRule
    return ProfileChange(
      firstName: fields.string("first_name", isRequired: false, mayBeBlank: true, rule),
      lastName: fields.string("last_name", isRequired: false, mayBeBlank: true, rule),
      companyName: fields.string("company_name", isRequired: false, mayBeBlank: true, rule))
  }

  @Sendable private func close(_ request: APIRequest) async throws -> Response {
    let id = try await accounts.account(try request.id()).id
    var errors = WireErrors()
    let answer = try request.choice("delete_servers", of: Answer.allCases, &errors)
    try errors.throwIfAny()
    try await accounts.close(id, deletingServers: answer == .yes, by: .program(request.caller))
    return Response(status: .noContent)
  }

  private enum Answer: String, CaseIterable {
    case yes = "true"
    case no = "false"
  }

  @Sendable private func addCredit(_ request: APIRequest) async throws -> Response {
    let id = try await accounts.account(try request.id()).id
    var fields = try await request.fields()
    let amount = fields.amount("amount", isRequired: true, in: Money(microunits: 1)...Money.largestWritten)
    let note = fields.string("note", isRequired: false, mayBeBlank: true, OperatorAccounts.noteRule)
    let account = try await fields.carryOut(order: Self.fieldOrder) {
      try fields.errors.throwIfAny(order: Self.fieldOrder)
      return try await accounts.addCredit(amount ?? .zero, to: id, note: note ?? "", by: .program(request.caller))
    }
    return try await reply(account)
  }

  @Sendable private func suspend(_ request: APIRequest) async throws -> Response {
    let id = try await accounts.account(try request.id()).id
    var fields = try await request.fields()
    let reason = fields.string("reason", isRequired: false, mayBeBlank: true, AccountSuspension.reasonRule)
    try fields.errors.throwIfAny()
    return try await reply(try await accounts.suspend(id, because: reason ?? "", by: .program(request.caller)))
  }

  @Sendable private func resume(_ request: APIRequest) async throws -> Response {
    let id = try await accounts.account(try request.id()).id
    try await request.ignoreBody()
    return try await reply(try await accounts.suspend(id, because: nil, by: .program(request.caller)))
  }

  @Sendable private func makeLink(_ request: APIRequest) async throws -> Response {
    guard hasPanel else { throw Failure.notFound }
    let id = try await accounts.account(try request.id()).id
    try await request.ignoreBody()
    guard let base = request.publicURL else {
      throw Failure(.invalidRequest, "The Host header must name the host that you reach this service at.")
    }
    let expiresAt = clock.now + Sessions.linkLifetime
    let link = try await accounts.makeLink(for: id, by: .program(request.caller))
    var response = Response.json(
      JSONWriter.object { writer in
        writer.field("url", link.url(at: base.description))
        writer.field("expires_at", expiresAt)
      }, status: .created)
    response.headers[.cacheControl] = "no-store"
    return response
  }

  private func reply(_ account: Account, status: HTTPResponse.Status = .ok) async throws -> Response {
    let cost = try await accounts.hourlyCost(of: account.id)
    var writer = JSONWriter()
    OperatorWire.account(&writer, account, currency: statements.statements.currency, hourlyCost: cost)
    return .json(writer.buffer, status: status)
  }
}
