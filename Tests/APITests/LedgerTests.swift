import API
import Core
import Engine
import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import SQLStore

@Suite("What an account has paid, and for what")
struct LedgerTests {
  /// As the meter writes them.
  private func write(
    _ api: TestAPI, _ reason: LedgerReason, _ microunits: Int64, server: Int? = nil,
    hour: (at: String, number: Int64?)? = nil,
    description: String = ""
  ) async throws {
    let (account, now) = (api.service.owner.accountID, api.service.clock.now)
    let hour = try hour.map { ServerHour(beganAt: try #require(Timestamp(wireFormat: $0.at)), number: $0.number) }
    _ = try await api.service.database.write { database in
      try database.append(
        reason, Money(microunits: microunits), to: account, for: server.map { ID(Int64($0)) }, hour: hour,
        description: description, at: now)
    }
  }

  private func month(of api: TestAPI) -> String { String(CalendarMonth(api.service.clock.now)!.description) }

  private func amounts(_ reply: TestAPI.Reply, _ field: String) throws -> [String] {
    (try reply.json["results"] as? [[String: Any]] ?? []).compactMap { $0[field] as? String }
  }

  @Test("Every entry is told once, exactly and with the balance that it leaves, whatever the pages and the order")
  func ledger() async throws {
    let api = try await TestAPI.make()
    let id = try await api.createServer()
    try await api.service.settle()
    try await write(api, .credit, 1, description: "A gift, =1+1")
    let whole = try await api.send(.get, "/account/ledger/")
    #expect(whole.status == 200)
    let entries = try #require(try whole.json["results"] as? [[String: Any]])
    #expect(entries.compactMap { $0["reason"] as? String } == ["credit", "hold", "release", "charge", "credit"])
    var balance = Money.zero
    for entry in entries {
      balance = balance + (try #require((entry["amount"] as? String).flatMap { Money(decimal: $0) }))
      #expect(entry["balance"] as? String == balance.exactDecimal, "\(entry)")
    }
    #expect(balance == (try await api.service.store.account(api.service.owner.accountID))?.balance)
    #expect(try amounts(whole, "amount").last == "0.000001")
    let charge = try #require(entries.first { $0["reason"] as? String == "charge" })
    #expect(charge["amount"] as? String == "-0.005000")
    #expect((charge["server"] as? [String: Any])?["id"] as? Int == id)
    #expect(entries.first?["server"] is NSNull && entries.first?["hour"] is NSNull)

    var pieces: [String] = []
    var path: String? = "/account/ledger/?page_size=2"
    while let next = path {
      let page = try await api.send(.get, next)
      pieces += try amounts(page, "balance")
      let link = try page.json["next"] as? String
      path = link.flatMap { link in link.range(of: "/account").map { String(link[$0.lowerBound...]) } }
    }
    #expect(pieces == (try amounts(whole, "balance")))
    let reversed = try await api.send(.get, "/account/ledger/?ordering=-id")
    #expect(try amounts(reversed, "balance") == pieces.reversed())
    let month = month(of: api)
    #expect(try await api.send(.get, "/account/ledger/?month=\(month)").json["count"] as? Int == 5)
    #expect(try await api.send(.get, "/account/ledger/?month=1999-12").json["count"] as? Int == 0)
  }

  @Test("Nobody sees another account's ledger or usage")
  func strangers() async throws {
    let api = try await TestAPI.make()
    _ = try await api.createServer()
    try await api.service.settle()
    let (_, stranger) = try await api.service.newCaller()
    let ledger = try await api.send(.get, "/account/ledger/", token: stranger.text)
    #expect(try amounts(ledger, "reason").allSatisfy { $0 == "credit" })
    let usage = try await api.send(.get, "/account/usage/", token: stranger.text).json
    #expect(usage["total"] as? String == "0.000000" && (usage["servers"] as? [Any])?.isEmpty == true)
  }

  @Test("A month has the hours that began in it, of deleted servers too, and its total is that of all pages")
  func usage() async throws {
    let api = try await TestAPI.make()
    let (first, second) = (try await api.createServer(), try await api.createServer())
    try await api.service.settle()
    for (server, hours) in [
      (first, [("2020-02-29T22:30:00Z", 1), ("2020-02-29T23:30:00Z", 2)]), (second, [("2020-02-01T00:00:00Z", 1)]),
    ] {
      for (at, number) in hours { try await write(api, .charge, -5_000, server: server, hour: (at, Int64(number))) }
    }
    // The server became more expensive in an hour that was paid for: that is money, and no hour.
    try await write(api, .charge, -1, server: first, hour: ("2020-02-29T22:30:00Z", nil))
    try await write(api, .backup, -1_000, server: first, hour: ("2020-02-29T22:30:00Z", 1))
    try await write(api, .charge, -5_000, server: first, hour: ("2020-03-01T00:30:00Z", 3))
    try await write(api, .refund, 7_000, server: first)
    #expect(try await api.send(.delete, "/servers/\(second)/").status == 204)
    try await api.service.settle()

    let february = try await api.send(.get, "/account/usage/?month=2020-02")
    #expect(
      february.text.hasPrefix(
        #"{"month":"2020-02","currency":"USD","total":"0.016001","servers":[{"id":\#(first),"name":"#),
      "\(february.text)")
    let servers = try #require(try february.json["servers"] as? [[String: Any]])
    #expect(servers.map { $0["hours"] as? Int } == [2, 1])
    #expect(servers.map { $0["amount"] as? String } == ["0.010001", "0.005000"])
    #expect(servers.map { $0["backups"] as? String } == ["0.001000", "0.000000"])
    #expect(servers[0]["deleted_at"] is NSNull && servers[1]["deleted_at"] is String)
    #expect(try february.json.keys.sorted() == ["currency", "month", "servers", "total"])
    let page = try await api.send(.get, "/account/usage/?month=2020-02&page_size=1&page=2").json
    #expect((page["servers"] as? [[String: Any]])?.map { $0["id"] as? Int } == [second])
    #expect(page["total"] as? String == "0.016001" && page["count"] as? Int == 2 && page["next"] is NSNull)
    let march = try await api.send(.get, "/account/usage/?month=2020-03").json
    #expect(march["total"] as? String == "0.005000")
    // The first hours of both, which are those of now.
    let current = try await api.send(.get, "/account/usage/").json
    #expect(current["month"] as? String == month(of: api) && current["total"] as? String == "0.010000")
    #expect(try await api.send(.get, "/account/usage/?page=2").status == 404)
  }

  @Test("The traffic of a month is told also when it is over")
  func traffic() async throws {
    let api = try await TestAPI.make()
    let id = try await api.createServer()
    try await api.service.settle()
    let month = month(of: api)
    func sample(_ received: Int64) async throws {
      let server = try #require(try await api.service.store.server(ID(Int64(id))))
      try await api.service.store.recordUsage(
        [
          UsageSample(
            serverID: ID(Int64(id)), cpuPermille: 0, memoryUsedMiB: 0, diskUsedBytes: nil,
            network: NetworkCounters(receivedBytes: received, sentBytes: 7),
            serverUpdatedAt: server.updatedAt)
        ], at: api.service.clock.now)
    }
    try await sample(11_000_000_001)
    for _ in 0..<2 {
      let usage = try await api.send(.get, "/account/usage/?month=\(month)").json
      #expect((usage["servers"] as? [[String: Any]])?.map { $0["traffic_gb"] as? Int } == [12])
      api.service.clock.advance(by: .seconds(32 * 86_400))
      try await sample(12_000_000_001)
    }
  }

  @Test("A table for spreadsheets has the same rows, and carries nothing out")
  func tables() async throws {
    let api = try await TestAPI.make()
    let id = try await api.createServer()
    try await api.service.settle()
    for description in ["=1+1", " @SUM(A1)", "a \"b\", c", "\u{FF1D}1", "-2", "plain"] {
      try await write(api, .credit, 1_000_000, description: description)
    }
    let accept: HTTPFields = [.accept: "text/csv"]
    let table = try await api.send(.get, "/account/ledger/", headers: accept)
    #expect(table.headers[.contentType] == "text/csv; charset=utf-8; header=present")
    #expect(table.headers[.vary] == "Accept")
    let lines = table.text.components(separatedBy: "\r\n")
    #expect(lines.first == "id,created_at,reason,amount,balance,server_id,server_name,hour,description")
    #expect(lines.last == "" && lines.count == 12)
    #expect(lines[4].contains(",charge,-0.005000,99.995000,\(id),"), "\(lines[4])")
    let cells = lines[5...10].map { $0.split(separator: ",", maxSplits: 8, omittingEmptySubsequences: false)[8] }
    #expect(cells == ["'=1+1", "' @SUM(A1)", "\"a \"\"b\"\", c\"", "'\u{FF1D}1", "'-2", "plain"])

    let page = try await api.send(.get, "/account/ledger/?page_size=2&page=2", headers: accept)
    let links = try #require(page.headers[HTTPField.Name("Link")!])
    #expect(links.contains("page=3>; rel=\"next\"") && links.contains("; rel=\"prev\""), "\(links)")
    try await write(api, .charge, -5_000, server: id, hour: ("2020-02-29T22:30:00Z", 1))
    let usage = try await api.send(.get, "/account/usage/?month=2020-02", headers: accept).text
    #expect(usage.hasSuffix("\r\n2020-02,USD,\(id),web-1,Nano VPS,1,0.005000,0.000000,0,0.000000,\r\n"), "\(usage)")

    for (wanted, isTable) in [
      ("*/*", false), ("application/json, text/csv", false), ("text/*", true), ("text/csv, */*;q=0.1", true),
      ("text/csv;q=0.5, application/json", false), ("application/*;q=0.2, text/csv;q=0.3", true),
    ] {
      let reply = try await api.send(.get, "/account/ledger/", headers: [.accept: wanted])
      #expect(reply.status == 200 && reply.text.hasPrefix("id,") == isTable, "\(wanted)")
    }
    #expect(try await api.send(.get, "/account/ledger/", headers: [.accept: "text/html"]).status == 406)
    #expect(try await api.send(.get, "/account/me/", headers: accept).status == 406)
    // What goes wrong is told as everywhere.
    let wrong = try await api.send(.get, "/account/usage/?month=2025-1", headers: accept)
    #expect(wrong.status == 400 && wrong.text == #"{"month":["\"2025-1\" is no month. Write it like 2025-01."]}"#)
  }

  @Test(
    "A month is a year of four digits and a month of two",
    arguments: [
      "2025-00", "2025-13", "2025-1", "25-01", "+025-01", "2025-+1", "2025/01", "2025-01-01", "1969-12", "99999-01",
      "２０２５-01",
    ])
  func months(text: String) async throws {
    #expect(CalendarMonth(text) == nil)
    #expect(CalendarMonth("2024-02")?.end == Timestamp(wireFormat: "2024-03-01T00:00:00Z"))
    #expect(CalendarMonth("2024-12")?.end == CalendarMonth("2025-01")?.start)
  }
}
