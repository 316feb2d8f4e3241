import APIClient

/// An action on a server that takes a while.
struct ServerAction {
  /// Relative to the server's path.
  let path: String
  var method = "POST"
  var body: JSON?
  /// The kinds of operations that the action creates.
  let kinds: Set<String>
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
    let request = {
      if let told { return told }
      return try await OptionErrors.naming {
        try await session.client.request(method, path, body: body, waitSeconds: waiting.preferredSeconds).json()
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
}
