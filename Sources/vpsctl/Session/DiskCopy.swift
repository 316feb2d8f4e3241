import APIClient

/// The actions that backups and snapshots have in common.
struct DiskCopy {
  let kind: Kind

  func create(_ body: JSON, _ session: Session, _ waiting: WaitOptions, _ options: OutputOptions) async throws {
    let deadline = ContinuousClock.now + waiting.limit
    let session = session.patient(waiting, until: deadline)
    let request = { (wait: Int?) in
      try await OptionErrors.naming {
        try await session.client.request("POST", kind.path, body: body, waitSeconds: wait).json()
      }
    }
    guard waiting.isWaiting else {
      let copy = try await request(nil)
      return options.tell("The \(kind.noun) \(copy["id"]?.int ?? 0) is being made.", copy, kind)
    }
    let copy = try await Progress.during(
      "The \(kind.noun) is being made", session, goesOn: "It is made all the same: vpsctl \(kind.noun) list"
    ) { _ in
      let copy = try await request(waiting.preferredSeconds)
      return try await session.finishedCopy(kind, copy, within: max(.seconds(1), deadline - .now))
    }
    let status = copy["status"]?.string ?? "there"
    options.tell("The \(kind.noun) \(copy["id"]?.int ?? 0) is \(status).", copy, kind)
    guard status != "failed" else {
      throw Refusal(.failed, copy["status_reason"]?.string ?? "The \(kind.noun) could not be made.")
    }
  }

  func restore(
    _ text: String, isConfirmed: Bool, _ session: Session, _ waiting: WaitOptions, _ options: OutputOptions
  ) async throws {
    let copy = try await session.find(kind, text, isExact: true)
    guard let server = copy["server"], let id = copy["id"]?.int else {
      throw UnexpectedReply(status: 200, "The service does not say of which server the \(kind.noun) is.")
    }
    try Session.confirm(
      "The disk of \(Kind.server.title(of: server)) becomes what it was at \(copy["created_at"]?.string ?? "that time"): "
        + "what came since is lost.", by: Kind.server.name(of: server), isConfirmed: isConfirmed)
    try await ServerAction(path: "restore/", kinds: ["restore"], doing: "being restored")
      .perform(on: server, below: "\(kind.path)\(id)/", session, waiting, options)
  }
}

/// Deletes an object that takes no time to delete.
struct Deletion {
  let kind: Kind

  func run(_ text: String, isConfirmed: Bool, _ options: OutputOptions) async throws {
    let session = try options.session
    let object = try await session.find(kind, text, isExact: true)
    let title = "The \(kind.noun) \(kind.name(of: object))"
    try Session.confirm("\(title) is deleted for good.", by: kind.name(of: object), isConfirmed: isConfirmed)
    _ = try await session.client.request("DELETE", "\(kind.path)\(object["id"]?.int ?? 0)/")
    switch options.output {
    case .table: Terminal.print("\(title) is deleted.".escapedForTerminal)
    case .name: Terminal.print(kind.name(of: object).escapedForTerminal)
    case .json, .yaml: break
    }
  }
}
