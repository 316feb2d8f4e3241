import Foundation

/// Work that goes on at the server after its reply.
struct IncusOperation: Decodable, Sendable {
  /// What came of it, as far as it tells.
  struct Result: Decodable, Sendable {
    /// Of a program that ran in an instance.
    let exitCode: Int?
    /// Of an image that was made.
    let fingerprint: String?
    /// How far it is, in words that change as it goes on.
    let progress: Set<String>

    private struct Key: CodingKey {
      let stringValue: String
      let intValue: Int? = nil

      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Key.self)
      exitCode = try container.decodeIfPresent(Int.self, forKey: Key(stringValue: "return"))
      fingerprint = try container.decodeIfPresent(String.self, forKey: Key(stringValue: "fingerprint"))
      let keys = container.allKeys.filter { $0.stringValue.hasSuffix("_progress") }
      progress = Set(keys.compactMap { try? container.decode(String.self, forKey: $0) })
    }
  }

  let id: String
  let statusCode: Int
  let error: String?
  /// What it is about: kinds, and the paths of those of each.
  let resources: [String: [String]]?
  let result: Result?

  private enum CodingKeys: String, CodingKey {
    case id, resources
    case statusCode = "status_code"
    case error = "err"
    case result = "metadata"
  }

  var isUnderWay: Bool { statusCode < 200 }

  /// Of one that is over. Its code says only that it failed, or was cancelled.
  func outcome() throws -> Result? {
    guard statusCode == 200 else { throw IncusError.failure(error ?? "") }
    return result
  }

  /// As far as it tells.
  var concernsNothing: Bool { (resources ?? [:]).values.allSatisfy(\.isEmpty) }

  func concerns(instance name: String) -> Bool {
    (resources ?? [:]).values.joined().contains { path in
      path.split(separator: "?").first?.split(separator: "/").last.map(String.init) == name
    }
  }
}

extension IncusClient {
  /// Waits until what was asked for is done, and throws where that failed. One that is forgotten, with its member or because it ended
  /// some seconds ago, throws `notFound`.
  @discardableResult
  func finish(_ request: Request, within limit: Duration) async throws -> IncusOperation.Result? {
    guard let operation = try await send(request) else { return nil }
    return try await end(of: operation, within: limit)
  }

  /// The path is made of the id: the one in the reply may end in `?project=…`, and what is appended there asks for something else.
  func end(of operation: IncusOperation, within limit: Duration) async throws -> IncusOperation.Result? {
    let seconds = max(1, limit.components.seconds)
    let path = IncusPath("operations", operation.id, "wait", query: ["timeout": String(seconds)])
    let ended = try await get(path, as: IncusOperation.self, within: .seconds(seconds + 10))
    if ended.isUnderWay { throw IncusError.noAnswer(within: limit) }
    return try ended.outcome()
  }

  /// Those of this project that are under way.
  func operationsUnderWay() async throws -> [IncusOperation] {
    let path = IncusPath("operations", query: ["recursion": "1"])
    let byStatus = try await get(path, as: [String: [IncusOperation]].self, within: .seconds(40), mostBytes: 16 << 20)
    return byStatus.values.joined().filter(\.isUnderWay)
  }
}
