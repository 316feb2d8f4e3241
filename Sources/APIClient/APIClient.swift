public import FoundationEssentials

/// A client of the service's API. It knows paths and types, and nothing of the service behind them; docs/api-client.md has an
/// example.
public struct APIClient: Sendable {
  public struct Reply: Sendable {
    public let status: Int
    public let headers: [(name: String, value: String)]
    public let body: Data

    public var text: String { String(decoding: body, as: UTF8.self) }

    public func header(_ name: String) -> String? {
      headers.first { $0.name == name.lowercased() }?.value
    }

    public func json() throws(UnexpectedReply) -> JSON {
      do {
        return try JSON(parsing: body)
      } catch {
        let type = header("Content-Type").map { " but \($0)" } ?? ""
        throw UnexpectedReply(
          status: status, "The answer (status \(status)) is no JSON\(type). Is this the URL of the service?")
      }
    }
  }

  private static let version = "/api/v1"
  private static let replySeconds = 30

  /// The URL without the base path, and without a final slash.
  public let baseURL: String
  private let token: String?
  private let userAgent: String
  private(set) var retry: RetryPolicy
  private let transport = Transport()

  /// - Parameter baseURL: Without the base path: `http://127.0.0.1:8080`.
  public init(baseURL: URL, token: String?, userAgent: String = "vpsd-client", retry: RetryPolicy = .standard) {
    var text = baseURL.absoluteString
    while text.hasSuffix("/") { text.removeLast() }
    self.baseURL = text
    // The token goes into a header, which a line break in it would end.
    self.token = token?.filter { $0.isASCII && $0 > " " && $0 < "\u{7F}" }
    self.userAgent = userAgent
    self.retry = retry
  }

  /// The same client, with its connections, but with another retry policy.
  public func retrying(_ retry: RetryPolicy) -> APIClient {
    var other = self
    other.retry = retry
    return other
  }

  /// Sends a request once, without retries, and returns the reply whatever its status is.
  /// - Parameter path: Below the base path, with a final slash: `/servers/1/`.
  public func send(_ method: String, _ path: String, json: Data? = nil) async throws -> Reply {
    try await send(request(method, path, headers: [], body: json.map { Array($0) }, waitSeconds: 0))
  }

  /// Sends a request, and returns its reply if it succeeds. Throws `APIError` if the service refuses it,
  /// `ConnectionFailure` if there is no answer, and `UnexpectedReply` if the answer is not one of the service.
  ///
  /// A request whose answer is lost is sent again. Every POST has an idempotency key, so that it is carried out once.
  ///
  /// - Parameter waitSeconds: How long the service may delay its answer until the requested operation is over (120 at
  ///   most).
  public func request(
    _ method: String, _ path: String, query: [(name: String, value: String)] = [], body: JSON? = nil,
    headers: [(name: String, value: String)] = [], idempotencyKey: String? = nil, waitSeconds: Int? = nil
  ) async throws -> Reply {
    var headers = headers
    if method == "POST" { headers.append(("Idempotency-Key", idempotencyKey ?? UUID().uuidString.lowercased())) }
    let bytes = body.map { Array($0.text.utf8) }
    let (reply, wasLost) = try await repeating(until: retry.unavailableUntil ?? .now + retry.unavailable) { left in
      // If several requests share a deadline, none of them waits beyond it.
      let seconds = waitSeconds.map { retry.unavailableUntil == nil ? $0 : min($0, max(0, left)) }
      return self.request(
        method, path + Self.text(of: query),
        headers: headers + (seconds.map { [("Prefer", "wait=\($0)")] } ?? []), body: bytes, waitSeconds: seconds ?? 0)
    }
    return try requireSuccess(reply, followsLostAnswer: wasLost)
  }

  private func requireSuccess(_ reply: Reply, followsLostAnswer: Bool = false) throws -> Reply {
    if (200..<300).contains(reply.status) {
      if reply.status != 204 { _ = try reply.json() }
      return reply
    }
    if let error = APIError(reply, followsLostAnswer: followsLostAnswer) { throw error }
    _ = try reply.json()
    throw UnexpectedReply(
      status: reply.status, "The answer has the status \(reply.status), and says nothing that the service would say.")
  }

  /// Returns the last reply, and whether the answer to an earlier attempt was lost.
  ///
  /// - Parameters:
  ///   - patience: Until this time, a request that is answered with 503 is sent again.
  ///   - make: Makes the request, given the whole seconds that are left until then.
  private func repeating(
    until patience: ContinuousClock.Instant, _ make: (Int) -> Transport.Request
  ) async throws -> (reply: Reply, wasLost: Bool) {
    var delays = retry.delays[...]
    var wasLost = false
    var throttled = 0
    while true {
      do {
        let request = make(Int((patience - .now) / .seconds(1) + 0.5))
        let reply = try await send(request)
        switch reply.status {
        case 502, 504: wasLost = true
        case 409 where wasLost && request.method == "POST": break
        case 404 where wasLost && request.method == "DELETE":
          return (Reply(status: 204, headers: reply.headers, body: Data()), wasLost)
        case 429:
          guard throttled < 3, let seconds = reply.header("Retry-After").flatMap({ Int($0) }),
            seconds <= retry.maximumThrottleSeconds,
            retry.unavailableUntil.map({ ContinuousClock.now + .seconds(max(1, seconds)) <= $0 }) ?? true
          else { return (reply, wasLost) }
          throttled += 1
          try await pause(APIError(reply), request.method, seconds: max(1, seconds), wasLost: wasLost)
          continue
        case 503:
          guard let error = APIError(reply), let seconds = error.retryAfterSeconds.map({ max(1, $0) }),
            seconds <= 86_400, ContinuousClock.now + .seconds(seconds) <= patience
          else { return (reply, wasLost) }
          try await pause(error, request.method, seconds: seconds, wasLost: wasLost)
          continue
        default: return (reply, wasLost)
        }
        // A gateway lost the request or its answer, or the first attempt is still under way.
        guard let delay = delays.popFirst() else { return (reply, wasLost) }
        try await Task.sleep(for: delay)
      } catch let failure as ConnectionFailure {
        if failure.kind == .lost { wasLost = true }
        guard failure.kind == .lost || (failure.kind == .unreachable && wasLost), let delay = delays.popFirst() else {
          throw failure
        }
        try await Task.sleep(for: delay)
      }
    }
  }

  private func pause(_ error: APIError?, _ method: String, seconds: Int, wasLost: Bool) async throws {
    if let error {
      retry.onPause?(.begins(error, method: method, seconds: seconds, isNothingDone: !wasLost))
    }
    try await Task.sleep(for: .seconds(seconds))
    retry.onPause?(.ends)
  }

  private func send(_ request: Transport.Request) async throws -> Reply {
    let response = try await transport.send(request)
    return Reply(status: response.status, headers: response.headers, body: Data(response.body))
  }

  /// Passes on the bytes of an endless reply as they arrive, until `limit` has passed.
  func stream(
    _ path: String, headers: [(name: String, value: String)], silenceSeconds: Int, limit: Duration?,
    onBytes: @escaping @Sendable ([UInt8]) -> Void
  ) async throws {
    var request = request("GET", path, headers: headers, body: nil, waitSeconds: 0)
    request.headers = request.headers.filter { $0.name != "Accept" } + [("Accept", "text/event-stream")]
    request.limitMilliseconds = limit.map { Int($0 / .milliseconds(1)) }
    request.silenceSeconds = silenceSeconds
    let response = try await transport.send(request, onBytes: onBytes)
    let reply = Reply(status: response.status, headers: response.headers, body: Data(response.body))
    if response.status == 200 {
      let type = reply.header("Content-Type") ?? ""
      if type.hasPrefix("text/event-stream") { return }
      // The body was passed to `onBytes`, so that only its type is known.
      if !type.hasPrefix("application/json") { _ = try reply.json() }
    } else {
      _ = try requireSuccess(reply)
    }
    throw UnexpectedReply(status: response.status, "The service tells no events.")
  }

  private func request(
    _ method: String, _ path: String, headers: [(name: String, value: String)], body: [UInt8]?, waitSeconds: Int
  ) -> Transport.Request {
    var all: [(name: String, value: String)] = [("Accept", "application/json"), ("User-Agent", userAgent)]
    if let token { all.append(("Authorization", "Bearer \(token)")) }
    if body != nil { all.append(("Content-Type", "application/json")) }
    let seconds = Self.replySeconds + waitSeconds
    return Transport.Request(
      method: method, url: baseURL + Self.version + path, headers: all + headers, body: body,
      limitMilliseconds: seconds * 1000, silenceSeconds: seconds)
  }

  static func text(of query: [(name: String, value: String)]) -> String {
    guard !query.isEmpty else { return "" }
    return "?" + query.map { "\(escaped($0.name))=\(escaped($0.value))" }.joined(separator: "&")
  }

  /// Percent-encodes the text, for use as one part of a path or a query.
  public static func escaped(_ text: String) -> String {
    text.utf8.map { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        String(UnicodeScalar(byte))
      default: (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
      }
    }.joined()
  }
}
