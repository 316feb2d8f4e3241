import APIClient

/// A firewall as it was read, which can be changed and stored unless it has been changed meanwhile.
struct StoredFirewall {
  let session: Session
  let server: JSON
  var fields: JSON
  private let tag: String?

  private static func path(_ server: JSON) -> String { "/servers/\(server["id"]?.int ?? 0)/firewall/" }

  init(of name: String, _ session: Session, isExact: Bool = true) async throws {
    self.session = session
    server = try await session.find(.server, name, isExact: isExact)
    let reply = try await session.client.request("GET", Self.path(server))
    fields = try reply.json()
    tag = reply.header("ETag")
  }

  var rules: [JSON] { fields["rules"]?.array ?? [] }

  func write(_ options: OutputOptions) async throws {
    let body: JSON = ["enabled": fields["enabled"] ?? false, "rules": .array(rules)]
    try FirewallShow.tell(try await replace(by: body), options)
  }

  private func replace(by body: JSON) async throws -> JSON {
    do {
      return try await session.client.request(
        "PUT", Self.path(server), body: body, headers: tag.map { [("If-Match", $0)] } ?? [], waitSeconds: 10
      ).json()
    } catch let error as APIError where error.status == 412 {
      // A request that is sent again because its answer was lost finds what it has stored itself.
      let present = try await session.get(Self.path(server))
      guard ApplyPlan.isSame(body, present) else { throw error }
      return present
    }
  }
}
