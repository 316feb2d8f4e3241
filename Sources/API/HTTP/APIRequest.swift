import Core
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// A request whose caller is known and has the required permission.
struct APIRequest {
  let caller: Caller
  let request: Request
  let context: APIContext
  let gate: Gate
  /// Nil if neither the operator nor the client tells at which URL clients reach the service.
  let publicURL: PublicURL?
  private let parameters: Parameters

  init(caller: Caller, request: Request, context: APIContext, gate: Gate, publicURL: PublicURL?) {
    self.caller = caller
    self.request = request
    self.context = context
    self.gate = gate
    self.publicURL = publicURL
    // Read once, because this parses the whole query.
    parameters = request.uri.queryParameters
  }

  /// Path and query, the same with and without a final slash.
  var target: String {
    let path = request.uri.path
    return (path.last == "/" ? String(path.dropLast()) : path) + (request.uri.query.map { "?" + $0 } ?? "")
  }

  /// The same request with another caller, and its body in memory.
  func replacing(caller: Caller, body: ByteBuffer) -> APIRequest {
    APIRequest(
      caller: caller, request: Request(head: request.head, body: RequestBody(buffer: body)), context: context,
      gate: gate, publicURL: publicURL)
  }

  /// The same request, acting on a customer's account: only for operators' routes.
  func operating(on account: ID<Account>) -> APIRequest {
    APIRequest(
      caller: caller.operating(on: account), request: request, context: context, gate: gate, publicURL: publicURL)
  }

  /// The id or uuid in the path, with any percent escapes decoded. Throws `notFound` if it is neither.
  func reference<Entity>(_ parameter: String = "id") throws(Failure) -> Reference<Entity> {
    guard let name = context.parameters.get(parameter)?.removingPercentEncoding, let reference = Reference<Entity>(name)
    else { throw .notFound }
    return reference
  }

  /// The id in the path, for entities without a uuid.
  func id<Entity>(_ parameter: String = "id") throws(Failure) -> ID<Entity> {
    guard case .id(let id) = try reference(parameter) as Reference<Entity> else { throw .notFound }
    return id
  }

  /// The states in `If-Match`, one of which the resource must still have; nil if any will do.
  var wantedTags: [String]? {
    let fields = request.headers[values: .ifMatch]
    guard !fields.isEmpty else { return nil }
    let tags = fields.flatMap { $0.utf8.split(separator: UInt8(ascii: ",")) }.map(\.withoutSpace)
    // By RFC 9110, a weak tag, W/"x", never matches.
    return tags.contains("*") ? nil : tags.filter { $0.first == "\"" }.map { String(EntityTag.state(of: $0))! }
  }

  /// No valid value is longer.
  static let longestQueryBytes = 1024

  /// A query parameter; an empty one counts as absent. Null characters are refused here, because PostgreSQL takes none.
  func query(_ name: Substring) throws(WireErrors) -> String? {
    guard let text = parameters[name], !text.isEmpty else { return nil }
    guard text.utf8.count <= Self.longestQueryBytes else {
      throw WireErrors(String(name), "Ensure this parameter has no more than \(Self.longestQueryBytes) bytes.")
    }
    guard !text.utf8.contains(0) else { throw WireErrors(String(name), "Null characters are not allowed.") }
    return String(text)
  }

  /// The fields of the body. An empty body has none.
  func fields(acceptsNull: Bool = false) async throws -> FieldReader {
    switch try await body() {
    case nil: FieldReader(JSONObject(), maximumElements: gate.limits.listElements)
    case .null? where acceptsNull: FieldReader(JSONObject(), maximumElements: gate.limits.listElements)
    case .object(let fields)?: FieldReader(fields, maximumElements: gate.limits.listElements)
    case let value?: throw Rejection.notAnObject(typeName: value.typeName)
    }
  }

  /// For an action without fields: accepts no body, an empty one, an object, or `null`.
  func ignoreBody() async throws {
    switch try await body() {
    case nil, .null?, .object?: return
    case let value?: throw Rejection.notAnObject(typeName: value.typeName)
    }
  }

  private func body() async throws -> JSONValue? {
    let buffer = try await wholeBody()
    guard buffer.readableBytes > 0 else { return nil }
    let mediaType = request.headers[.contentType] ?? ""
    let essence = mediaType.utf8.prefix { $0 != UInt8(ascii: ";") }.withoutSpace.lowercased()
    guard essence == "application/json" else { throw Rejection.unsupportedMediaType(mediaType) }
    do {
      return try JSONValue(parsing: Array(buffer.readableBytesView), maximumDepth: gate.limits.jsonDepth)
    } catch {
      throw Rejection.parseError(error.message)
    }
  }

  /// The whole body, which must not be compressed. A body that breaks off, or violates HTTP, is the client's error.
  func wholeBody() async throws -> ByteBuffer {
    let codings = request.headers[values: .contentEncoding].flatMap(\.listElements)
    guard codings.allSatisfy({ $0.utf8.isToken("identity") }) else { throw Rejection.unsupportedContentCoding }
    // A body that is too large is refused before it is sent, if its client waits for 100 Continue.
    if let length = request.headers[.contentLength], Int(length).map({ $0 > gate.limits.bodyBytes }) ?? true {
      throw Rejection.bodyTooLarge
    }
    if request.headers[.expect] != nil { context.askForBody() }
    do {
      return try await request.body.collect(upTo: gate.limits.bodyBytes)
    } catch  where !(error is CancellationError || error is NIOTooManyBytesError || error is HTTPError) {
      throw Rejection.bodyIncomplete
    }
  }

  /// For a long-lived reply: whether the client is still connected, and its token still valid.
  func isStillAllowed() async -> Bool {
    guard !context.isGone else { return false }
    return await gate.stillAdmits(request, context)
  }

  /// Whether the client accepts this media type.
  static func accepts(_ mediaType: String, _ request: Request) -> Bool {
    guard let accept = request.headers[.accept], !accept.isEmpty else { return true }
    let wanted = ["*/*", mediaType.prefix { $0 != "/" } + "/*", mediaType]
    return accept.utf8.split(separator: UInt8(ascii: ",")).contains { range in
      let essence = range.prefix { $0 != UInt8(ascii: ";") }
      guard wanted.contains(essence.withoutSpace.lowercased()) else { return false }
      return !range.dropFirst(essence.count).split(separator: UInt8(ascii: ";")).contains { parameter in
        let text = parameter.withoutSpace.lowercased()
        return text.hasPrefix("q=") && (Double(text.dropFirst(2)) ?? 1) == 0
      }
    }
  }

  /// The media type of these that the client prefers; the first one of equals.
  static func preferred(among mediaTypes: [String], _ request: Request) -> String? {
    guard let accept = request.headers[.accept], !accept.isEmpty else { return mediaTypes.first }
    let ranges = accept.utf8.split(separator: UInt8(ascii: ",")).map { range in
      let essence = range.prefix { $0 != UInt8(ascii: ";") }
      let quality = range.dropFirst(essence.count).split(separator: UInt8(ascii: ";")).lazy
        .map { $0.withoutSpace.lowercased() }.first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) }
      return (essence: essence.withoutSpace.lowercased(), quality: quality ?? 1)
    }
    // A more specific range takes precedence over a less specific one.
    func quality(of mediaType: String) -> Double {
      for wanted in [mediaType, mediaType.prefix { $0 != "/" } + "/*", "*/*"] {
        if let range = ranges.first(where: { $0.essence == wanted }) { return range.quality }
      }
      return 0
    }
    let best = mediaTypes.map(quality).max() ?? 0
    return mediaTypes.first { quality(of: $0) == best }
  }
}
