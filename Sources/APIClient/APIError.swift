/// The service refused a request. All of its errors have this form.
public struct APIError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong with one field: `rules.2.port`.
  public struct Field: Sendable, Hashable {
    public let name: String
    public let messages: [String]

    public init(name: String, messages: [String]) {
      self.name = name
      self.messages = messages
    }
  }

  public let status: Int
  /// A sentence; nil if the error is about fields.
  public let detail: String?
  /// All fields that are wrong, in the order of the reply.
  public let fields: [Field]
  /// When to send the request again, if the service tells.
  public let retryAfterSeconds: Int?
  public let requestID: String?
  /// Whether the request was sent again because an answer was lost: the service may have carried it out before.
  public let followsLostAnswer: Bool

  public init(
    status: Int, detail: String?, fields: [Field] = [], retryAfterSeconds: Int? = nil, requestID: String? = nil,
    followsLostAnswer: Bool = false
  ) {
    self.status = status
    self.detail = detail
    self.fields = fields
    self.retryAfterSeconds = retryAfterSeconds
    self.requestID = requestID
    self.followsLostAnswer = followsLostAnswer
  }

  /// Nil if the body is not an error of the service.
  init?(_ reply: APIClient.Reply, followsLostAnswer: Bool = false) {
    guard let body = try? reply.json(), case .object(let members) = body, !members.isEmpty else { return nil }
    let detail = body["detail"]?.string
    let fields = detail == nil ? members.flatMap { Self.fields($0.name, $0.value) } : []
    guard detail != nil || !fields.isEmpty else { return nil }
    self.init(
      status: reply.status, detail: detail, fields: fields,
      retryAfterSeconds: reply.header("Retry-After").flatMap { Int($0) }, requestID: reply.header("X-Request-ID"),
      followsLostAnswer: followsLostAnswer)
  }

  public var isNotFound: Bool { status == 404 }

  public var description: String {
    if let detail { return detail }
    return fields.map { "\($0.name): \($0.messages.joined(separator: " "))" }.joined(separator: "\n")
  }

  private static func fields(_ name: String, _ value: JSON) -> [Field] {
    switch value {
    case .string(let message): return [Field(name: name, messages: [message])]
    case .array(let elements):
      let messages = elements.compactMap(\.string)
      let inner = elements.enumerated().flatMap { index, element in
        (element.members ?? []).flatMap { fields("\(name).\(index).\($0.name)", $0.value) }
      }
      return (messages.isEmpty ? [] : [Field(name: name, messages: messages)]) + inner
    case .object(let members): return members.flatMap { fields("\(name).\($0.name)", $0.value) }
    default: return []
    }
  }
}

/// There is no answer: no connection could be made, or it was lost before the whole answer had arrived.
public struct ConnectionFailure: Error, Sendable, CustomStringConvertible {
  public enum Kind: Sendable, Hashable {
    /// No connection could be made: the request was not sent.
    case unreachable
    /// The certificate is not trusted, or TLS could not be negotiated: the request was not sent.
    case untrusted
    /// The connection ended, or was silent for too long: the request may have been carried out.
    case lost
    /// The reply is longer than any reply of this service.
    case tooLong
    /// The task that sent the request was cancelled.
    case cancelled
  }

  public let kind: Kind
  public let description: String

  public init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}

/// The answer does not come from the service, or comes from an incompatible version of it.
public struct UnexpectedReply: Error, Sendable, CustomStringConvertible {
  public let status: Int
  public let description: String

  public init(status: Int, _ description: String) {
    self.status = status
    self.description = description
  }
}

/// The time to wait is over. The operation that was waited for goes on.
public struct WaitTimedOut: Error, Sendable, CustomStringConvertible {
  public init() {}

  public var description: String { "It is not over in the time that there was to wait." }
}
