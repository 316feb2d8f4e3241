import Core
import Engine
import Hummingbird
import NIOCore

struct ServerRoutes {
  let servers: Servers
  let catalogue: CatalogueReader
  let clock: any WallClock

  private static let read = Permission(.servers, .read)
  private static let write = Permission(.servers, .write)

  var endpoints: [Endpoint] {
    [
      Endpoint(.get, "/servers/", Self.read, handle: list),
      Endpoint(.post, "/servers/", Self.write, handle: create),
      Endpoint(.get, "/servers/{id}/", Self.read, handle: read),
      Endpoint(.put, "/servers/{id}/", Self.write) { try await update($0, isPartial: false) },
      Endpoint(.patch, "/servers/{id}/", Self.write) { try await update($0, isPartial: true) },
      Endpoint(.delete, "/servers/{id}/", Self.write, handle: delete),
      Endpoint(.post, "/servers/{id}/start/", Self.write) { try await perform(.start, $0) },
      Endpoint(.post, "/servers/{id}/stop/", Self.write) { try await perform(.stop, $0) },
      Endpoint(.post, "/servers/{id}/reboot/", Self.write) { try await perform(.reboot, $0) },
    ]
  }

  @Sendable private func list(_ request: APIRequest) async throws -> Response {
    let filter = try await filter(request)
    return .json(ListWire.list(try await servers.list(filter, request.caller), ServerWire.listItem))
  }

  private func filter(_ request: APIRequest) async throws -> ServerFilter {
    var filter = ServerFilter()
    var errors = FieldErrors()
    if let status = request.query("status") {
      filter.status = ServerStatus(rawValue: status)
      if filter.status == nil {
        errors.add("status", Self.unknownChoice(status, ServerStatus.allCases.map(\.rawValue)))
      }
    }
    if let location = request.query("location") {
      filter.location = location
      let known = try await catalogue.catalogue(for: request.caller).locations.map(\.code)
      if !known.contains(location) { errors.add("location", Self.unknownChoice(location, known)) }
    }
    try errors.throwIfAny(order: ["status", "location"])
    return filter
  }

  private static func unknownChoice(_ value: String, _ choices: [String]) -> String {
    "\"\(value)\" is not a valid choice. Valid choices are: \(choices.joined(separator: ", "))."
  }

  @Sendable private func create(_ request: APIRequest) async throws -> Response {
    var fields = try await request.fields()
    var draft = ServerDraft(
      name: fields.string("name", isRequired: true),
      planID: fields.integer("plan_id", isRequired: true),
      operatingSystemID: fields.integer("os_id", isRequired: true),
      location: fields.string("location", isRequired: true),
      hostname: fields.string("hostname", isRequired: false),
      sshKeyID: fields.integer("ssh_key_id", isRequired: false, isNullable: true),
      isBackupEnabled: fields.boolean("backups_enabled", isRequired: false))
    draft.errors = fields.errors
    let created = try await servers.create(draft, request.caller)
    var writer = JSONWriter()
    ServerWire.created(&writer, created)
    return .json(writer.buffer, status: .created)
  }

  @Sendable private func read(_ request: APIRequest) async throws -> Response {
    let (view, usage) = try await servers.read(try request.id(), request.caller)
    return detail(view, usage)
  }

  private func update(_ request: APIRequest, isPartial: Bool) async throws -> Response {
    let id: ID<Server> = try request.id()
    try await servers.requireExists(id, request.caller)
    var fields = try await request.fields()
    let name = fields.string("name", isRequired: !isPartial)
    let hostname = fields.string("hostname", isRequired: !isPartial)
    let isBackupEnabled = fields.boolean("backups_enabled", isRequired: !isPartial)
    var errors = fields.errors
    let change = ServerChange(
      name: name.flatMap { ServerFields.name($0, &errors) },
      hostname: hostname.flatMap { ServerFields.hostname($0, &errors) },
      isBackupEnabled: isBackupEnabled)
    try errors.throwIfAny(order: Servers.fieldOrder)
    let (view, usage) = try await servers.update(id, change, request.caller)
    return detail(view, usage)
  }

  @Sendable private func delete(_ request: APIRequest) async throws -> Response {
    try await servers.delete(try request.id(), request.caller)
    return Response(status: .noContent)
  }

  private func perform(_ action: PowerAction, _ request: APIRequest) async throws -> Response {
    let id: ID<Server> = try request.id()
    try await servers.requireExists(id, request.caller)
    try await request.ignoreBody()
    let server = try await servers.perform(action, on: id, request.caller)
    var writer = JSONWriter()
    ServerWire.actionReply(&writer, server)
    return .json(writer.buffer)
  }

  private func detail(_ view: Servers.View, _ usage: ResourceUsage) -> Response {
    var writer = JSONWriter()
    ServerWire.detail(&writer, view, usage, at: clock.now)
    return .json(writer.buffer)
  }
}
