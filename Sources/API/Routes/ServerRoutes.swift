import Core
import Engine
import HTTPTypes
import Hummingbird
import NIOCore

struct ServerRoutes {
  let servers: Servers
  let catalogue: CatalogueReader
  let clock: any WallClock

  private static let read = Servers.toRead
  private static let write = Servers.toChange
  /// The fields of all bodies, in the order in which they are documented.
  private static let fieldOrder = [
    "account_id", "name", "plan_id", "plan", "os_id", "os_version", "location", "hostname", "ssh_key_id", "ssh_keys",
    "backups_enabled", "firewall", "labels", "delete_protection", "user_data",
  ]

  var endpoints: [Endpoint] {
    [
      Endpoint(.get, "/servers/", Self.read, isKept: true, handle: list),
      Endpoint(.post, "/servers/", Self.write) { try await create($0, try await $0.fields()) },
      Endpoint(.get, "/servers/{id}/", Self.read, isKept: true) { try await read($0) },
      Endpoint(.put, "/servers/{id}/", Self.write, hasTag: true) { try await update($0, isPartial: false) },
      Endpoint(.patch, "/servers/{id}/", Self.write, hasTag: true) { try await update($0, isPartial: true) },
      Endpoint(.delete, "/servers/{id}/", Self.write, hasTag: true, handle: delete),
      Endpoint(.post, "/servers/{id}/start/", Self.write) { try await perform(.start, $0) },
      Endpoint(.post, "/servers/{id}/stop/", Self.write) { try await perform(.stop, $0) },
      Endpoint(.post, "/servers/{id}/reboot/", Self.write) { try await perform(.reboot, $0) },
      Endpoint(.post, "/servers/{id}/power/", Self.write, handle: power),
      Endpoint(.post, "/servers/{id}/resize/", Self.write, handle: resize),
      Endpoint(.post, "/servers/{id}/move/", Self.write, handle: move),
      Endpoint(.post, "/servers/{id}/rebuild/", Self.write, handle: rebuild),
      Endpoint(.post, "/servers/{id}/rescue/", Self.write, handle: rescue),
      Endpoint(.delete, "/servers/{id}/rescue/", Self.write, handle: leaveRescue),
      Endpoint(.post, "/servers/{id}/reset-password/", Self.write, handle: resetPassword),
      Endpoint(.get, "/servers/{id}/operations/", Self.read, handle: history),
    ]
  }

  @Sendable private func list(_ request: APIRequest) async throws -> Response {
    var errors = WireErrors()
    let filter = try await filter(request, &errors)
    let order = try request.order(by: ServerKey.allCases, &errors)
    try errors.throwIfAny(order: ["status", "location", "label_selector", "ordering"])
    let page = try await servers.list(filter, order: order, page: try request.page(), request.caller)
    request.context.shown.note(page.elements)
    return request.list(page) { ServerWire.listItem(&$0, $1) }
  }

  private func filter(_ request: APIRequest, _ errors: inout WireErrors) async throws -> ServerFilter {
    var filter = ServerFilter(name: try request.query("name"), hostname: try request.query("hostname"))
    filter.status = try request.choice("status", of: ServerStatus.allCases, &errors)
    if let location = try request.query("location") {
      filter.location = location
      let known = try await catalogue.catalogue(for: request.caller).locations.map(\.code)
      if !location.isPlain(atMost: 64) || !known.contains(location) {
        errors.add("location", APIRequest.unknownChoice(location, known))
      }
    }
    if let selector = try request.query("label_selector") {
      do {
        filter.labels = try LabelSelector(parsing: selector)
      } catch {
        errors.add("label_selector", error.message)
      }
    }
    return filter
  }

  func create(_ request: APIRequest, _ fields: FieldReader, of owner: ServerWire.Owner? = nil) async throws -> Response
  {
    var fields = fields
    let (draft, names) = try await body(of: request).draft(from: &fields)
    var created = try await fields.carryOut(order: Self.fieldOrder, names: names) {
      try await servers.create(draft, request.caller)
    }
    let wait = Preference.wait(of: request.request)
    if let wait {
      // An error of the wait is ignored, because the server is made.
      let view = try? await servers.settled(created.view, within: .seconds(wait), request.caller)
      created = created.showing(view ?? created.view)
    }
    var writer = JSONWriter()
    ServerWire.created(&writer, created, of: owner)
    return Self.response(writer, status: .created, wait)
  }

  private func body(of request: APIRequest) async throws -> ServerBody {
    ServerBody(
      catalogue: try await catalogue.catalogue(for: request.caller),
      firewall: FirewallBody(request.gate.limits))
  }

  private static func response(_ writer: JSONWriter, status: HTTPResponse.Status, _ wait: Int?) -> Response {
    var response = Response.json(writer.buffer, status: status)
    Preference.note(wait, in: &response)
    return response
  }

  func read(_ request: APIRequest, of owner: ServerWire.Owner? = nil) async throws -> Response {
    let (view, usage) = try await servers.read(try await id(of: request), request.caller)
    request.context.shown.note([view])
    return detail(view, usage, of: owner)
  }

  func update(_ request: APIRequest, isPartial: Bool, of owner: ServerWire.Owner? = nil) async throws -> Response {
    let id = try await id(of: request)
    try await servers.requireExists(id, request.caller)
    var fields = try await request.fields()
    let name = fields.string("name", isRequired: !isPartial)
    let hostname = fields.string("hostname", isRequired: !isPartial)
    let isBackupEnabled = fields.boolean("backups_enabled", isRequired: !isPartial)
    let labels = fields.labels("labels")
    let isDeleteProtected = fields.boolean("delete_protection", isRequired: false)
    var errors = FieldErrors()
    var change = ServerChange(
      name: name.flatMap { ServerFields.name($0, &errors) },
      hostname: hostname.flatMap { ServerFields.hostname($0, &errors) },
      isBackupEnabled: isBackupEnabled)
    (change.labels, change.isDeleteProtected) = (labels, isDeleteProtected)
    let (view, usage) = try await fields.carryOut(order: Self.fieldOrder) {
      try errors.throwIfAny(orUnless: fields.isWhole)
      return try await servers.update(id, change, ifTagged: request.wantedTags, request.caller)
    }
    return detail(view, usage, of: owner)
  }

  @Sendable func delete(_ request: APIRequest) async throws -> Response {
    try await servers.delete(try await id(of: request), ifTagged: request.wantedTags, request.caller)
    return Response(status: .noContent)
  }

  func perform(_ action: PowerAction, _ request: APIRequest) async throws -> Response {
    let id = try await id(of: request)
    try await servers.requireExists(id, request.caller)
    try await request.ignoreBody()
    return try await perform(action, on: id, request)
  }

  @Sendable private func power(_ request: APIRequest) async throws -> Response {
    let id = try await id(of: request)
    try await servers.requireExists(id, request.caller)
    var fields = try await request.fields()
    let action = fields.choice(
      "action",
      of: [("start", PowerAction.start), ("stop", .stop), ("restart", .reboot), ("hard_stop", .hardStop)])
    try fields.errors.throwIfAny(order: ["action"])
    guard let action else { throw Failure.internalError("A body without errors lacks its action.") }
    return try await perform(action, on: id, request)
  }

  private func perform(_ action: PowerAction, on id: ID<Server>, _ request: APIRequest) async throws -> Response {
    var server = try await servers.perform(action, on: id, request.caller)
    let wait = Preference.wait(of: request.request)
    if let wait {
      server = (try? await servers.settled(server, within: .seconds(wait), request.caller)) ?? server
    }
    var writer = JSONWriter()
    ServerWire.actionReply(&writer, server)
    return Self.response(writer, status: .ok, wait)
  }

  @Sendable func resize(_ request: APIRequest) async throws -> Response {
    let id = try await id(of: request)
    try await servers.requireExists(id, request.caller)
    var fields = try await request.fields()
    let (draft, names) = try await body(of: request).resizeDraft(from: &fields)
    let requested = try await fields.carryOut(order: Self.fieldOrder, names: names) {
      try await servers.resize(id, draft, request.caller)
    }
    return await request.reply(requested, servers)
  }

  @Sendable private func move(_ request: APIRequest) async throws -> Response {
    let id = try await id(of: request)
    try await servers.requireExists(id, request.caller)
    var fields = try await request.fields()
    let draft = Servers.MoveDraft(location: fields.string("location", isRequired: true), isWhole: fields.isWhole)
    let requested = try await fields.carryOut(order: Self.fieldOrder) {
      try await servers.move(id, draft, request.caller)
    }
    return await request.reply(requested, servers)
  }

  @Sendable func rebuild(_ request: APIRequest) async throws -> Response {
    let id = try await id(of: request)
    try await servers.requireExists(id, request.caller)
    var fields = try await request.fields()
    let (draft, names) = try await body(of: request).rebuildDraft(from: &fields)
    let rebuild = try await fields.carryOut(order: Self.fieldOrder, names: names) {
      try await servers.rebuild(id, draft, request.caller)
    }
    return await request.reply(rebuild.requested, servers, password: rebuild.rootPassword)
  }

  @Sendable private func rescue(_ request: APIRequest) async throws -> Response {
    let id = try await id(of: request)
    try await servers.requireExists(id, request.caller)
    var fields = try await request.fields()
    let (draft, names) = try await body(of: request).rescueDraft(from: &fields)
    let rescue = try await fields.carryOut(order: Self.fieldOrder, names: names) {
      try await servers.rescue(id, draft, request.caller)
    }
    return await request.reply(rescue.requested, servers, password: rescue.rootPassword)
  }

  @Sendable private func leaveRescue(_ request: APIRequest) async throws -> Response {
    let id = try await id(of: request)
    return await request.reply(try await servers.leaveRescue(id, request.caller), servers)
  }

  @Sendable private func resetPassword(_ request: APIRequest) async throws -> Response {
    let id = try await id(of: request)
    try await servers.requireExists(id, request.caller)
    try await request.ignoreBody()
    let password = try await servers.resetPassword(of: id, request.caller)
    return .json(JSONWriter.object { $0.field("password", password) })
  }

  @Sendable private func history(_ request: APIRequest) async throws -> Response {
    var errors = WireErrors()
    let ordering = try request.ordering(by: ["id"], &errors)
    try errors.throwIfAny()
    let page = try await servers.history(
      of: try await id(of: request), isNewestFirst: ordering.first?.isDescending ?? false, page: try request.page(),
      request.caller)
    return request.list(page, OperationWire.record)
  }

  private func id(of request: APIRequest) async throws -> ID<Server> {
    try await servers.id(of: try request.reference(), request.caller)
  }

  private func detail(_ view: Servers.View, _ usage: ResourceUsage, of owner: ServerWire.Owner?) -> Response {
    var writer = JSONWriter()
    ServerWire.detail(&writer, view, usage, of: owner, at: clock.now)
    var response = Response.json(writer.buffer)
    response.headers[.eTag] = "\"\(Servers.tag(of: view.server))\""
    return response
  }
}
