import API
import Core
import Documentation
import Engine
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import SimulatedDriver
import TestSupport

@testable import Panel

/// The panel of a whole service in this process: requests go in as values and replies come out, without a socket.
struct TestPanel {
  let service: TestService
  let panel: Panel
  private let responder: any HTTPResponder<APIContext>
  let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

  static let noLimits = RequestLimits(requestsPerMinute: 0, loginFailuresPerMinute: 0)

  init(
    _ service: TestService, limits: RequestLimits = TestPanel.noLimits, publicURL: PublicURL? = nil,
    idempotency: Idempotency.Limits = .init(), mailsLinks: Bool = true,
    reverseNames: ReverseNames? = nil
  ) {
    self.service = service
    let (store, clock) = (service.store, service.clock)
    let useCases = UseCases(
      servers: service.servers, metrics: Metrics(store: store, clock: clock), firewalls: service.firewalls,
      reverseNames: reverseNames ?? service.reverseNames, backups: service.backups, snapshots: service.snapshots,
      sshKeys: service.sshKeys, tokens: Tokens(store: store, authenticator: service.authenticator, clock: clock),
      profiles: Profiles(store: store), statements: Statements(store: store, clock: clock),
      requests: Idempotency(store: store, clock: clock, limits: idempotency),
      events: Events(store: store, changes: service.changes, clock: clock), consoles: service.consoles,
      catalogue: service.catalogue,
      sessions: Sessions(
        store: store, authenticator: service.authenticator, clock: clock, mailsLinks: mailsLinks),
      operators: Operators(store: store, clock: clock))
    panel = Panel(useCases, publicURL: publicURL, limits: limits, clock: clock)
    let api = APIService(
      useCases, authenticator: service.authenticator,
      document: Self.document(titled: "Reference"),
      translations: [.bulgarian: Self.document(titled: "Справочник")],
      noVNC: URL(fileURLWithPath: "/nowhere", isDirectory: true), publicURL: publicURL, pages: panel, clock: clock,
      logger: logger, limits: limits, isReady: { true })
    responder = api.router().buildResponder()
  }

  private static func document(titled title: String) -> DocumentNode {
    .object([
      .init("openapi", .text("3.1.0")), .init("info", .object([.init("title", .text(title))])),
      .init("paths", .object([])),
    ])
  }

  static func make() async throws -> TestPanel { TestPanel(try await TestService()) }

  func link(for account: ID<Account>? = nil) async throws -> String {
    let text = try await Sessions.makeLink(
      for: account ?? service.owner.accountID, service.store, at: service.clock.now)
    return "/sign-in?link=\(text?.text ?? "")"
  }

  /// A browser that is signed in.
  func signedIn(as account: ID<Account>? = nil) async throws -> Browser {
    let browser = Browser(panel: self)
    let reply = try await browser.get(try await link(for: account))
    guard reply.status == 303, !browser.cookies.isEmpty else { throw NotSignedIn(reply: reply.text) }
    return browser
  }

  struct NotSignedIn: Error { let reply: String }

  func respond(_ request: Request) async throws -> Response {
    try await responder.respond(
      to: request,
      context: APIContext(source: ApplicationRequestContextSource(channel: EmbeddedChannel(), logger: logger)))
  }
}

/// What somebody has in front of them: it keeps cookies, and sends forms with all of their fields.
final class Browser {
  let panel: TestPanel
  var cookies: [String: String] = [:]
  var headers: HTTPFields = [.accept: "text/html", .acceptLanguage: "en"]

  init(panel: TestPanel) {
    self.panel = panel
  }

  struct Reply {
    let status: Int
    let headers: HTTPFields
    var bytes: [UInt8] = []
    let text: String

    var location: String? { headers[.location] }
  }

  func get(_ path: String, method: HTTPRequest.Method = .get, _ more: HTTPFields = [:]) async throws -> Reply {
    try await send(method, path, "", more)
  }

  /// Fills a form of the page in and sends it.
  ///
  /// - Parameter action: Of the form, as it stands in the page.
  @discardableResult
  func submit(
    _ action: String, on page: Reply, _ fields: KeyValuePairs<String, String> = [:], _ more: HTTPFields = [:]
  ) async throws -> Reply {
    var all = page.hiddenFields(of: action)
    for (name, value) in fields { all.append((name, value)) }
    return try await post(action, all, more)
  }

  func post(_ path: String, _ fields: [(String, String)], _ more: HTTPFields = [:]) async throws -> Reply {
    var more = more
    if more[.contentType] == nil { more[.contentType] = Form.mediaType }
    return try await send(
      .post, path, fields.map { "\($0.0.percentEncoded)=\($0.1.percentEncoded)" }.joined(separator: "&"), more)
  }

  func send(_ method: HTTPRequest.Method, _ path: String, _ body: String, _ more: HTTPFields) async throws -> Reply {
    var fields = headers
    for field in more { fields[field.name] = field.value }
    if !cookies.isEmpty {
      fields[.cookie] = cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
    }
    let request = Request(
      head: HTTPRequest(method: method, scheme: "http", authority: "127.0.0.1", path: path, headerFields: fields),
      body: RequestBody(buffer: ByteBuffer(string: body)))
    let response = try await panel.respond(request)
    let body = WholeBody()
    try await response.body.write(body)
    for line in response.headers[values: .setCookie] { keep(line) }
    return Reply(
      status: response.status.code, headers: response.headers, bytes: Array(body.buffer.readableBytesView),
      text: String(buffer: body.buffer))
  }

  private func keep(_ line: String) {
    let pair = line.prefix { $0 != ";" }
    let name = String(pair.prefix { $0 != "=" })
    cookies[name] = line.contains("Max-Age=0") ? nil : String(pair.dropFirst(name.count + 1))
  }
}

extension Browser.Reply {
  /// The actions of all forms that change something.
  var actions: [String] {
    text.matches(of: /<form method="post" action="([^"]*)"/).map { String($0.output.1) }
  }

  func hiddenFields(of action: String) -> [(String, String)] {
    guard let start = text.firstRange(of: "<form method=\"post\" action=\"\(action)\"") else { return [] }
    let rest = text[start.upperBound...]
    let form = rest[..<(rest.firstRange(of: "</form>")?.lowerBound ?? rest.endIndex)]
    return form.matches(of: /<input type="hidden" name="([^"]*)" value="([^"]*)"/).map {
      (String($0.output.1), String($0.output.2))
    }
  }

  /// The paths of this service that the page leads to.
  var links: [String] { text.matches(of: /href="(\/[^"#]*)"/).map { String($0.output.1) } }

  /// What people read.
  var words: String {
    text.replacing(/<(style|script)[^>]*>.*?<\/(style|script)>/, with: "").replacing(/<[^>]*>/, with: "\n")
  }
}
