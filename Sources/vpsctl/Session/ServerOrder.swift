import APIClient

/// A server to create, with names as the user gave them.
struct ServerOrder {
  var name: String
  var plan: String
  var os: String
  var location: String
  var hostname: String?
  var sshKeys: [String] = []
  var backups = false
  var firewall: JSON?
  var labels: JSON?
  var userData: String?
  var isDeleteProtected = false
  /// Whether names must be given in full.
  var isExact = false

  /// Returns the service's answer. Throws one refusal with all errors: names that were not found here, and what the service
  /// rejects.
  ///
  /// - Parameter tell: Shows what the service returns only once, where nothing else will be shown.
  func place(_ session: Session, tell: (JSON) -> Void) async throws -> JSON {
    var errors: [APIError.Field] = []
    func found(_ field: String, _ kind: Kind, _ text: String) async throws -> JSON {
      switch try await session.search(kind, text, isExact: isExact) {
      case .found(let object): return object
      case .missing(let message), .ambiguous(let message):
        errors.append(APIError.Field(name: field, messages: [message]))
        return .null
      }
    }
    let keys = try await SSHKeyChoice.of(sshKeys, session)
    var body: JSON = ["name": .string(name)]
    body["plan_id"] = try await found("plan_id", .plan, plan)["id"] ?? .null
    body["os_id"] = try await found("os_id", .operatingSystem, os)["id"] ?? .null
    body["location"] = try await found("location", .location, location)["code"] ?? .null
    body["hostname"] = hostname.map { .string($0) }
    body["backups_enabled"] = backups ? true : nil
    body["firewall"] = firewall
    body["labels"] = labels
    body["user_data"] = userData.map { .string($0) }
    body["delete_protection"] = isDeleteProtected ? true : nil
    errors += keys.compactMap(\.error)
    guard errors.isEmpty else { throw try await refusal(errors, body, session) }
    var ids: [JSON] = []
    for key in keys { ids.append(try await key.registered(session)) }
    if ids.count == 1 { body["ssh_key_id"] = ids[0] } else if ids.count > 1 { body["ssh_keys"] = .array(ids) }
    return try await session.answerOnce("/servers/", body: body, tell: tell)
  }

  /// Asks the service for further errors by a request that cannot succeed, because it has no plan.
  private func refusal(_ errors: [APIError.Field], _ body: JSON, _ session: Session) async throws -> Refusal {
    var body = body
    body["plan_id"] = .null
    var all = errors
    do {
      _ = try await session.client.request("POST", "/servers/", body: body)
    } catch let error as APIError where error.status == 400 {
      let known = Set(errors.map(\.name) + ["plan_id"])
      all += error.fields.filter { !known.contains($0.name) }
    } catch is APIError {
      // The service refuses the request for another reason.
    }
    let order = ["name", "plan_id", "os_id", "location", "hostname", "ssh_key_id"]
    let sorted = all.enumerated().sorted { a, b in
      let places = (order.firstIndex(of: a.element.name) ?? 99, order.firstIndex(of: b.element.name) ?? 99)
      return places.0 == places.1 ? a.offset < b.offset : places.0 < places.1
    }
    return Refusal(.refused, sorted.map { OptionErrors.line($0.element) })
  }
}
