import Core
import Engine
import HTTPTypes
import Hummingbird
import NIOCore

/// All servers, for operators' programs: what customers can do, by the same handlers, and what only operators can do.
struct OperatorServerRoutes {
  private static let path = "/operator/servers/"

  let operators: Operators
  let customers: ServerRoutes
  let currency: String

  private var servers: OperatorServers { operators.servers }

  var endpoints: [Endpoint] {
    let (read, write) = (Operators.toRead, Operators.toChange)
    return [
      Endpoint(.get, Self.path, read, handle: list),
      Endpoint(.post, Self.path, write, handle: create),
      Endpoint(.get, Self.path + "{id}/", read) { request in
        try await on(request) { try await customers.read($0, of: $1) }
      },
      Endpoint(.patch, Self.path + "{id}/", write, hasTag: true) { request in
        try await on(request) { try await customers.update($0, isPartial: true, of: $1) }
      },
      Endpoint(.delete, Self.path + "{id}/", write, hasTag: true) { request in
        try await on(request) { request, _ in try await customers.delete(request) }
      },
      action("start") { try await customers.perform(.start, $0) },
      action("stop") { try await customers.perform(.stop, $0) },
      action("reboot") { try await customers.perform(.reboot, $0) },
      action("resize", customers.resize),
      action("rebuild", customers.rebuild),
      Endpoint(.post, Self.path + "{id}/suspend/", write, handle: suspend),
      Endpoint(.post, Self.path + "{id}/resume/", write, handle: resume),
      Endpoint(.get, Self.path + "{id}/usage/", read, handle: usage),
    ]
  }

  private func action(
    _ name: String, _ handle: @escaping @Sendable (APIRequest) async throws -> Response
  ) -> Endpoint {
    Endpoint(.post, Self.path + "{id}/\(name)/", Operators.toChange) { request in
      try await on(request) { request, _ in try await handle(request) }
    }
  }

  /// Calls the handler on behalf of the account of the server in the path. Throws `notFound` if there is no such
  /// server.
  private func on(
    _ request: APIRequest, _ handle: (APIRequest, ServerWire.Owner) async throws -> Response
  ) async throws -> Response {
    let listing = try await servers.visible(try request.reference())
    return try await handle(request.operating(on: listing.server.accountID), ServerWire.Owner(listing))
  }

  @Sendable private func list(_ request: APIRequest) async throws -> Response {
    var errors = WireErrors()
    var filter = ServerListingFilter()
    filter.name = try request.query("name")
    filter.beginning = try request.query("search")
    filter.status = try request.choice("status", of: ServerStatus.allCases, &errors)
    filter.accountID = try request.idFilter("account_id", &errors)
    filter.hostID = try request.idFilter("host_id", &errors)
    if let location = try request.query("location") {
      filter.location = location
      let known = try await operators.catalogue.read().locations.map(\.code)
      if !location.isPlain(atMost: 64) || !known.contains(location) {
        errors.add("location", APIRequest.unknownChoice(location, known))
      }
    }
    let order = try request.order(by: ServerKey.allCases, &errors)
    try errors.throwIfAny(order: ["status", "location", "account_id", "host_id", "ordering"])
    let listings = try await servers.list(filter, order: order, page: try request.page())
    let page = try await customers.servers.views(of: listings)
    return request.list(page.map(OwnedServer.init)) { writer, owned in
      ServerWire.listItem(&writer, owned.view, of: ServerWire.Owner(owned.listing))
    }
  }

  private struct OwnedServer: ListElement {
    let view: Servers.View
    let listing: ServerListing

    var idInList: Int64 { listing.server.id.value }
  }

  /// Takes the customer's fields, and the account in addition.
  @Sendable private func create(_ request: APIRequest) async throws -> Response {
    var fields = try await request.fields()
    var owner: Account?
    if let number = fields.integer("account_id", isRequired: true) {
      let found = number > 0 ? try await operators.accounts.find("\(number)") : nil
      var errors = FieldErrors()
      owner = Servers.owner(found, id: number, &errors)
      for message in errors.messages { fields.add("account_id", message) }
    }
    // Without an owner, all errors are reported, and nothing is made.
    let working = request.operating(on: owner?.id ?? request.caller.accountID)
    return try await customers.create(
      working, fields, of: owner.map { ServerWire.Owner(id: $0.id, email: $0.email) })
  }

  @Sendable private func suspend(_ request: APIRequest) async throws -> Response {
    let id = try await servers.visible(try request.reference()).server.id
    var fields = try await request.fields()
    let reason = fields.string("reason", isRequired: false, mayBeBlank: true, AccountSuspension.reasonRule)
    try fields.errors.throwIfAny()
    try await servers.suspend(id, because: reason ?? "", by: .program(request.caller))
    return try await reply(id, "Server is being suspended")
  }

  @Sendable private func resume(_ request: APIRequest) async throws -> Response {
    let id = try await servers.visible(try request.reference()).server.id
    try await request.ignoreBody()
    try await servers.suspend(id, because: nil, by: .program(request.caller))
    return try await reply(id, "Server is being resumed")
  }

  private func reply(_ id: ID<Server>, _ message: String) async throws -> Response {
    var writer = JSONWriter()
    ServerWire.actionReply(&writer, try await servers.visible(.id(id)).server, message: message)
    return .json(writer.buffer)
  }

  @Sendable private func usage(_ request: APIRequest) async throws -> Response {
    var errors = WireErrors()
    let month = try StatementRoutes.month(request, &errors)
    try errors.throwIfAny()
    let listing = try await servers.visible(try request.reference())
    let found = try await servers.usage(of: listing.server, in: month)
    return .json(
      JSONWriter.object { writer in
        writer.field("month", found.month.description)
        writer.field("currency", currency)
        StatementWire.fields(of: found.cost, &writer)
        ServerWire.resourceUsage(&writer, found.usage, at: customers.clock.now)
        writer.field("account") { writer in
          writer.field("id", listing.server.accountID.value)
          writer.field("email", listing.email)
        }
      })
  }
}

extension ServerWire.Owner {
  init(_ listing: ServerListing) {
    self.init(id: listing.server.accountID, email: listing.email)
  }
}

extension APIRequest {
  /// A filter by an id. An id that does not exist matches nothing; a text that is no id is added to the errors.
  func idFilter<Entity>(_ name: Substring, _ errors: inout WireErrors) throws(WireErrors) -> ID<Entity>? {
    guard let text = try query(name) else { return nil }
    if text.isPlain(atMost: 20), let number = Int64(text), number > 0, text.first != "+" { return ID(number) }
    errors.add(String(name), "A valid integer is required.")
    return nil
  }
}
