import Core
import Engine
import HTTPTypes
import Hummingbird
import NIOCore

/// What an account has paid, and what for: as JSON, or as CSV for spreadsheets.
struct StatementRoutes {
  private static let json = "application/json"
  static let csv = "text/csv"

  let statements: Statements

  var endpoints: [Endpoint] {
    [
      Endpoint(.get, "/account/ledger/", Statements.toRead, alternatives: [Self.csv], handle: ledger),
      Endpoint(.get, "/account/usage/", Statements.toRead, alternatives: [Self.csv], handle: usage),
    ]
  }

  @Sendable func ledger(_ request: APIRequest) async throws -> Response {
    var errors = WireErrors()
    let month = try Self.month(request, &errors)
    let order = try request.order(by: LedgerKey.allCases, &errors)
    try errors.throwIfAny(order: ["month", "ordering"])
    let page = try await statements.ledger(in: month, order: order, page: try request.page(), request.caller)
    return response(to: request, page) {
      StatementWire.csv(page.elements)
    } json: { links in
      ListWire.list(page, links: links, StatementWire.entry)
    }
  }

  @Sendable func usage(_ request: APIRequest) async throws -> Response {
    var errors = WireErrors()
    let month = try Self.month(request, &errors)
    try errors.throwIfAny()
    let statement = try await statements.statement(for: month, page: try request.page(), request.caller)
    let currency = statements.currency
    return response(to: request, statement.servers) {
      StatementWire.csv(statement, currency: currency)
    } json: { links in
      StatementWire.statement(statement, currency: currency, links: links)
    }
  }

  static func month(_ request: APIRequest, _ errors: inout WireErrors) throws(WireErrors) -> CalendarMonth? {
    guard let text = try request.query("month") else { return nil }
    guard let month = CalendarMonth(text) else {
      errors.add("month", "\(text.quoted) is no month. Write it like 2025-01.")
      return nil
    }
    return month
  }

  /// Replies with the media type that the client prefers. CSV has no place for links to other pages, so that they are
  /// in a header.
  private func response<Element: ListElement>(
    to request: APIRequest, _ page: Page<Element>, csv: () -> ByteBuffer, json: (PageLinks?) -> ByteBuffer
  ) -> Response {
    let links = PageLinks(request, page)
    var response: Response
    if APIRequest.preferred(among: [Self.json, Self.csv], request.request) == Self.csv {
      response = Response(
        status: .ok, headers: [.contentType: "text/csv; charset=utf-8; header=present"],
        body: ResponseBody(byteBuffer: csv()))
      response.headers[HTTPField.Name("Link")!] = links?.header
    } else {
      response = .json(json(links))
    }
    response.headers[.vary] = "Accept"
    return response
  }
}

extension PageLinks {
  /// The value of a `Link` header by RFC 8288.
  fileprivate var header: String? {
    let links = [next.map { "<\($0)>; rel=\"next\"" }, previous.map { "<\($0)>; rel=\"prev\"" }].compactMap(\.self)
    return links.isEmpty ? nil : links.joined(separator: ", ")
  }
}
