import Core
import Engine
import Hummingbird
import NIOCore

/// Hosts, images and the audit trail, for operators' programs.
struct OperatorHostRoutes {
  let operators: Operators

  private var hosts: OperatorHosts { operators.hosts }

  var endpoints: [Endpoint] {
    let (read, write) = (Operators.toRead, Operators.toChange)
    return [
      Endpoint(.get, "/operator/hosts/", read) { request in
        try request.list(
          try await hosts.list(), orderedBy: [SortKey("id", \.host.id), SortKey("name", \.host.name)],
          name: \.host.name, OperatorWire.host)
      },
      Endpoint(.get, "/operator/hosts/{id}/", read) { request in
        CatalogueRoutes.one(try await hosts.read(try request.id()), OperatorWire.host)
      },
      Endpoint(.post, "/operator/hosts/{id}/drain/", write, handle: drain),
      Endpoint(.post, "/operator/hosts/{id}/undrain/", write, handle: undrain),
      Endpoint(.get, "/operator/images/", read) { request in
        try request.list(
          try await operators.images.list(),
          orderedBy: [SortKey("id", \.system.id), SortKey("image", \.system.imageName)], name: \.system.imageName,
          OperatorWire.image)
      },
      Endpoint(.get, "/operator/audit/", read, handle: listAudit),
    ]
  }

  @Sendable private func drain(_ request: APIRequest) async throws -> Response {
    let id = try await hosts.read(try request.id()).host.id
    var fields = try await request.fields(acceptsNull: true)
    let isMoving = fields.boolean("move", isRequired: false) ?? false
    let text = fields.string("at", isRequired: false, isNullable: true)
    let time = text.flatMap { Timestamp(wireFormat: $0) }
    if text != nil, time == nil { fields.add("at", "Enter a valid value.") }
    if text != nil, !isMoving { fields.add("at", "This goes with move.") }
    try fields.errors.throwIfAny(order: ["move", "at"])
    let draining = isMoving ? OperatorHosts.Draining.movesServers(at: time) : .keepsServers
    return CatalogueRoutes.one(
      try await hosts.setDraining(true, id, draining, by: .program(request.caller)), OperatorWire.host)
  }

  @Sendable private func undrain(_ request: APIRequest) async throws -> Response {
    let id = try await hosts.read(try request.id()).host.id
    try await request.ignoreBody()
    return CatalogueRoutes.one(
      try await hosts.setDraining(false, id, by: .program(request.caller)), OperatorWire.host)
  }

  @Sendable private func listAudit(_ request: APIRequest) async throws -> Response {
    var errors = WireErrors()
    var filter = AuditFilter()
    filter.accountID = try request.idFilter("account_id", &errors)
    filter.serverID = try request.idFilter("server_id", &errors)
    let order = try request.order(by: AuditKey.allCases, &errors)
    try errors.throwIfAny(order: ["account_id", "server_id", "ordering"])
    let page = try await operators.auditTrail(
      filter, isNewestFirst: order.first?.isDescending ?? false, page: try request.page())
    return request.list(page, OperatorWire.auditEntry)
  }
}
