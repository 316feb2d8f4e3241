import APIClient

/// An action on a server that takes a while.
struct ServerAction {
  /// Relative to the server's path.
  let path: String
  var method = "POST"
  var body: JSON?
  /// The kinds of operations that the action creates.
  let kinds: Set<String>
  /// The kind of operation that it takes back; nil for a POST, which has an idempotency key.
  var opposite: String?
  /// `stopping`
  let doing: String
  /// Whether the answer contains something that is returned only once.
  var isToldOnce = false

  /// - Parameter collection: The path that `path` is relative to, if not the server's own: `/backups/7/`.
  func perform(
    on server: JSON, below collection: String? = nil, _ session: Session, _ waiting: WaitOptions,
    _ options: OutputOptions
  ) async throws {
    let id = server["id"]?.int ?? 0
    let title = Kind.server.title(of: server)
    let deadline = ContinuousClock.now + waiting.limit
    let session = session.patient(waiting, until: deadline)
    let path = (collection ?? "/servers/\(id)/") + path
    var told: JSON?
    if isToldOnce {
      told = try await session.answerOnce(path, body: body) { options.tellOnce($0, title) }
      if let told, waiting.isWaiting { options.tellPassword(of: told, title) }
    }
    let request: () async throws -> JSON = {
      if let told { return told }
      do {
        return try await OptionErrors.naming {
          try await session.client.request(method, path, body: body, waitSeconds: waiting.preferredSeconds).json()
        }
      } catch let error as APIError where error.followsLostAnswer {
        return try await lostAnswer(before: error, on: id, session)
      }
    }
    guard waiting.isWaiting else {
      let reply = try await request()
      if !options.isWhole { options.tellPassword(of: reply, title) }
      options.tell("\(title): \(reply["message"]?.string ?? "It is under way.")", reply, .server)
      return
    }
    var reply: JSON = .null
    let operation = try await Progress.during(
      "\(title) is \(doing)", session, goesOn: "\(title) goes on \(doing): vpsctl server show \(id)"
    ) { progress in
      reply = try await request()
      let operation = try await session.finishedOperation(kinds, of: id, within: max(.zero, deadline - .now))
      let server = try await session.settled(id, within: max(.seconds(1), deadline - .now))
      if reply["server"] != nil { reply["server"]?["status"] = server["status"] }
      if waiting.waitSSH, server["status"]?.string == "active" {
        progress.say("\(title) is active, a login is not answered yet")
        try await session.answersLogins(server, deadline: deadline)
      }
      return operation
    }
    let status = reply[path: "server.status"]?.string ?? "there"
    options.tell("\(title) is \(status).", reply, .server)
    if let operation, operation["status"]?.string != "succeeded" {
      throw Refusal(.failed, "\(title): \(operation["reason"]?.string ?? "It did not succeed.")")
    }
  }

  /// The answer that was lost, where the request is refused now because it was carried out then. Otherwise throws the error.
  private func lostAnswer(before error: APIError, on id: Int, _ session: Session) async throws -> JSON {
    guard let opposite, error.status == 400 else { throw error }
    let newest = try await session.get(
      "/servers/\(id)/operations/", query: [("ordering", "-id"), ("page_size", "20")])
    let last = newest["results"]?.array?.lazy.compactMap { $0["kind"]?.string }
      .first { kinds.contains($0) || $0 == opposite }
    guard let last, kinds.contains(last) else { throw error }
    let server = try await session.get("/servers/\(id)/")
    var summary: JSON = [:]
    for field in ["id", "name", "status"] { summary[field] = server[field] ?? .null }
    return ["status": "success", "message": .string("Server is \(doing)"), "server": summary]
  }
}
