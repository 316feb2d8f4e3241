import APIClient

extension Session {
  /// One thing by its id, uuid or name, or by the beginning of a name that only one has.
  func find(_ kind: Kind, _ text: String) async throws -> JSON {
    switch try await search(kind, text) {
    case .found(let object): return object
    case .missing(let message): throw Refusal(.notFound, message)
    case .ambiguous(let message): throw Refusal(.refused, message)
    }
  }

  enum Search {
    case found(JSON)
    case missing(String)
    case ambiguous(String)
  }

  func search(_ kind: Kind, _ text: String) async throws -> Search {
    if Int(text) != nil || Self.isUUID(text), let object = try await read(kind, text) { return .found(object) }
    return Self.choose(kind, text, try await client.list(kind.path))
  }

  static func choose(_ kind: Kind, _ text: String, _ all: [JSON]) -> Search {
    let wanted = text.lowercased()
    func names(_ object: JSON) -> [String] {
      kind.names.compactMap { object[$0]?.string?.lowercased() }
    }
    if let object = all.first(where: { $0["id"]?.int == Int(text) && Int(text) != nil || $0["uuid"]?.string == wanted })
    {
      return .found(object)
    }
    let exact = all.filter { names($0).contains(wanted) }
    let matching = exact.isEmpty && !wanted.isEmpty ? all.filter { names($0).contains { $0.hasPrefix(wanted) } } : exact
    switch matching.count {
    case 1: return .found(matching[0])
    case 0:
      let some = all.prefix(10).map(kind.name)
      let rest = all.count > some.count ? ", and \(all.count - some.count) more" : ""
      return .missing(
        "There is no \(kind.noun) \"\(text.prefix(64))\"."
          + (some.isEmpty ? "" : " There are: \(some.joined(separator: ", "))\(rest)."))
    default:
      let some = matching.prefix(10).map { "\(kind.name(of: $0)) (\($0["id"]?.int ?? 0))" }
      return .ambiguous(
        "There are \(matching.count) of \"\(text.prefix(64))\": say which by its id. \(some.joined(separator: ", "))")
    }
  }

  private func read(_ kind: Kind, _ text: String) async throws -> JSON? {
    do {
      return try await get("\(kind.path)\(APIClient.escaped(text))/")
    } catch let error as APIError where error.status == 404 || error.status == 405 {
      return nil
    }
  }

  private static func isUUID(_ text: String) -> Bool {
    text.utf8.count == 36 && text.split(separator: "-").map(\.utf8.count) == [8, 4, 4, 4, 12]
  }

  func id(_ kind: Kind, _ text: String) async throws -> Int {
    let object = try await find(kind, text)
    guard let id = object["id"]?.int else {
      throw UnexpectedReply(status: 200, "The service tells of the \(kind.noun) no id.")
    }
    return id
  }
}
