import APIClient

extension Session {
  /// Finds an object by its ID, UUID or name, or by the beginning of a name if that is unique.
  ///
  /// - Parameter isExact: Whether the name must be given in full, as for actions that destroy or overwrite something.
  func find(_ kind: Kind, _ text: String, isExact: Bool = false) async throws -> JSON {
    switch try await search(kind, text, isExact: isExact) {
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

  func search(_ kind: Kind, _ text: String, isExact: Bool = false) async throws -> Search {
    if Self.isID(text), let object = try await read(kind, text) { return .found(object) }
    return Self.choose(kind, text, try await client.list(kind.path), isExact: isExact)
  }

  /// IDs and UUIDs are never looked up as names: their object may be gone, and another one's name may contain the same text.
  private static func isID(_ text: String) -> Bool {
    isUUID(text) || !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) }
  }

  static func choose(_ kind: Kind, _ text: String, _ all: [JSON], isExact: Bool = false) -> Search {
    let wanted = text.lowercased()
    func names(_ object: JSON) -> [String] {
      kind.names.compactMap { object[$0]?.string?.lowercased() }
    }
    if let object = all.first(where: { $0["id"]?.int == Int(text) && Int(text) != nil || $0["uuid"]?.string == wanted })
    {
      return .found(object)
    }
    let exact = isID(text) ? [] : all.filter { names($0).contains(wanted) }
    let mayBegin = exact.isEmpty && !isExact && !isID(text) && !wanted.isEmpty
    let matching = mayBegin ? all.filter { names($0).contains { $0.hasPrefix(wanted) } } : exact
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

  func id(_ kind: Kind, _ text: String, isExact: Bool = false) async throws -> Int {
    let object = try await find(kind, text, isExact: isExact)
    guard let id = object["id"]?.int else {
      throw UnexpectedReply(status: 200, "The service tells of the \(kind.noun) no id.")
    }
    return id
  }
}

extension Session {
  /// The ID of the object that an option names. If it does not exist, that is a refusal and not `notFound`, because the command
  /// is about something else.
  func choice(_ option: String, _ kind: Kind, _ text: String, isExact: Bool = false) async throws -> JSON {
    switch try await search(kind, text, isExact: isExact) {
    case .found(let object): return object["id"] ?? .null
    case .missing(let message), .ambiguous(let message): throw Refusal(.refused, "\(option): \(message)")
    }
  }
}
