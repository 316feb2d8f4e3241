import Core
import Engine
import HTTPTypes
import Hummingbird
import NIOCore

/// The routes of backups, or of snapshots: both have the same handlers.
struct DiskCopyRoutes {
  let copies: DiskCopies
  let servers: Servers

  var endpoints: [Endpoint] {
    let (read, write) = (copies.toRead, copies.toChange)
    let (path, alias) =
      switch copies.family {
      case .backup: ("/backups/", "/servers/{id}/backup/")
      case .snapshot: ("/snapshots/", "/servers/{id}/snapshot/")
      }
    return [
      Endpoint(.get, path, read, handle: list),
      Endpoint(.post, path, write, handle: create),
      Endpoint(.get, path + "{id}/", read) { request in
        Self.response(try await copies.read(try await id(of: request), request.caller))
      },
      Endpoint(.delete, path + "{id}/", write) { request in
        try await copies.delete(try await id(of: request), request.caller)
        return Response(status: .noContent)
      },
      Endpoint(.post, path + "{id}/restore/", write, handle: restore),
      Endpoint(.post, alias, write, handle: createOfServer),
    ]
  }

  @Sendable private func list(_ request: APIRequest) async throws -> Response {
    var errors = WireErrors()
    let filter = try await filter(request, &errors)
    let keys = DiskCopyKey.allCases.filter { $0 != .name || copies.family == .snapshot }
    let order = try request.order(by: keys, &errors)
    try errors.throwIfAny(order: ["server_id", "backup_type", "status", "ordering"])
    let page = try await copies.list(filter, order: order, page: try request.page(), request.caller)
    return request.list(page, DiskCopyWire.copy)
  }

  private func filter(_ request: APIRequest, _ errors: inout WireErrors) async throws -> DiskCopyFilter {
    var filter = DiskCopyFilter()
    if let text = try request.query("server_id") {
      let reference = Reference<Server>(text)
      if let reference { filter.serverID = try await copies.serverID(of: reference, request.caller) }
      if filter.serverID == nil {
        errors.add(
          "server_id", reference.map { ServerFields.unknownKey($0) } ?? "A valid integer or UUID is required.")
      }
    }
    filter.status = try request.choice("status", of: DiskCopy.Status.allCases, &errors)
    switch copies.family {
    case .backup: filter.kind = try request.choice("backup_type", of: [DiskCopy.Kind.manual, .automatic], &errors)
    case .snapshot: filter.name = try request.query("name")
    }
    return filter
  }

  /// With the documented fields, including the server.
  @Sendable private func create(_ request: APIRequest) async throws -> Response {
    var fields = try await request.fields()
    var draft = DiskCopies.Draft(
      server: fields.reference("server_id", isRequired: true),
      description: fields.string("description", isRequired: false, isNullable: true, mayBeBlank: true))
    if copies.family == .snapshot { draft.name = fields.string("name", isRequired: true) }
    draft.isWhole = fields.isWhole
    return try await create(draft, fields, FieldNames(), request)
  }

  /// As clients of the live API do it: the server is in the path, and `label` stands for the name of a snapshot, or for
  /// the description of a backup, which has no name.
  @Sendable private func createOfServer(_ request: APIRequest) async throws -> Response {
    let id = try await servers.id(of: try request.reference(), request.caller)
    try await servers.requireExists(id, request.caller)
    var fields = try await request.fields()
    var draft = DiskCopies.Draft(
      server: .id(id), description: fields.string("description", isRequired: false, isNullable: true, mayBeBlank: true))
    var names: [Field: String] = [:]
    switch copies.family {
    case .snapshot:
      draft.name = fields.string("label", isRequired: true)
      names[.name] = "label"
    case .backup:
      let label = fields.string("label", isRequired: false, isNullable: true, mayBeBlank: true)
      if let label, !label.isEmpty {
        if let description = draft.description, !description.isEmpty {
          Self.compare(label, to: description, &fields)
        } else {
          draft.description = label
          names[.description] = "label"
        }
      }
    }
    draft.isWhole = fields.isWhole
    return try await create(draft, fields, FieldNames(names), request)
  }

  /// If both `label` and `description` are given, they must be equal.
  private static func compare(_ label: String, to description: String, _ fields: inout FieldReader) {
    if let message = DiskCopies.descriptionRule.violation(in: label) {
      fields.add("label", message)
    } else if !label.utf8.elementsEqual(description.utf8) {
      fields.add("label", "This says something else than description.")
    }
  }

  private static let fieldOrder = ["server_id", "name", "label", "description"]

  private func create(
    _ draft: DiskCopies.Draft, _ fields: FieldReader, _ names: FieldNames, _ request: APIRequest
  ) async throws -> Response {
    var copy = try await fields.carryOut(order: Self.fieldOrder, names: names) {
      try await copies.create(draft, request.caller)
    }
    let wait = Preference.wait(of: request.request)
    if let wait {
      // An error of the wait is ignored, because the copy is begun.
      copy = (try? await copies.settled(copy, within: .seconds(wait), request.caller)) ?? copy
    }
    return Self.response(copy, status: .created, wait)
  }

  @Sendable private func restore(_ request: APIRequest) async throws -> Response {
    let id = try await id(of: request)
    try await copies.requireExists(id, request.caller)
    try await request.ignoreBody()
    return await request.reply(try await copies.restore(id, request.caller), servers)
  }

  private func id(of request: APIRequest) async throws -> ID<DiskCopy> {
    try await copies.id(of: try request.reference(), request.caller)
  }

  private static func response(
    _ copy: DiskCopy, status: HTTPResponse.Status = .ok, _ wait: Int? = nil
  ) -> Response {
    var writer = JSONWriter()
    DiskCopyWire.copy(&writer, copy)
    var response = Response.json(writer.buffer, status: status)
    Preference.note(wait, in: &response)
    return response
  }
}
