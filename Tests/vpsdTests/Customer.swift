import Foundation
import FoundationNetworking
import Testing

/// A client of the service that an operator runs.
struct Customer {
  struct Reply {
    let status: Int
    let headers: [AnyHashable: Any]
    let text: String

    var json: [String: Any] {
      get throws { try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:] }
    }
  }

  let url: String
  let token: String

  /// - Parameters:
  ///   - banner: What the service said at its start.
  ///   - token: The first account's, where it is left out.
  init(of someone: Operator, _ banner: String, token: String? = nil) throws {
    url = String(try #require(banner.firstMatch(of: #/http://[0-9.:]+/#)).output)
    self.token =
      try token
      ?? String(contentsOfFile: someone.data + "/token", encoding: .utf8).trimmingCharacters(
        in: .whitespacesAndNewlines)
  }

  func send(_ method: String, _ path: String, _ body: String? = nil, accept: String? = nil) async throws -> Reply {
    var request = URLRequest(url: try #require(URL(string: url + "/api/v1" + path)))
    request.httpMethod = method
    request.httpBody = body.map { Data($0.utf8) }
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
    if let accept { request.setValue(accept, forHTTPHeaderField: "Accept") }
    let (data, reply) = try await URLSession.shared.data(for: request)
    let response = reply as? HTTPURLResponse
    return Reply(
      status: response?.statusCode ?? 0, headers: response?.allHeaderFields ?? [:],
      text: String(decoding: data, as: UTF8.self))
  }

  func makeServer(_ name: String, plan: Int = 3) async throws -> Int {
    let made = try await send(
      "POST", "/servers/", #"{"name": "\#(name)", "plan_id": \#(plan), "os_id": 3, "location": "us-west"}"#)
    #expect(made.status == 201, "\(made.text)")
    return try #require(try made.json["id"] as? Int)
  }

  /// What the service says of it once that is as it should be: it has a second to see what another process wrote, and what has
  /// to be done takes its time.
  @discardableResult
  func eventually(
    _ path: String, within limit: Duration = .seconds(120), sourceLocation: SourceLocation = #_sourceLocation,
    _ isRight: (Reply) throws -> Bool
  ) async throws -> Reply {
    let deadline = ContinuousClock.now + limit
    while true {
      let reply = try await send("GET", path)
      if try isRight(reply) { return reply }
      guard ContinuousClock.now < deadline else {
        Issue.record("\(path) is still \(reply.status) \(reply.text)", sourceLocation: sourceLocation)
        return reply
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }
}

extension Operator.Result {
  /// Of `--json`: an object a line.
  var objects: [[String: Any]] {
    get throws {
      try output.split(separator: "\n").map { line in
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      }
    }
  }
}
