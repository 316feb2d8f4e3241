import API
import Core
import Engine
import Foundation
import HTTPTypes
import SimulatedDriver
import TestSupport
import Testing

/// Calls every documented operation in every documented way, and writes down what was answered.
final class OpenAPIDrive {
  private static let keyHeader = HTTPField.Name("Idempotency-Key")!
  private static let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a@b"
  static let server = #"{"name": "a", "plan_id": 3, "os_id": 3, "location": "us-west"}"#

  private let document: APIDescription
  private(set) var statuses: [String: Set<Int>] = [:]
  private(set) var fields: Set<String> = []
  private(set) var wrong: [String] = []

  init(_ document: APIDescription) {
    self.document = document
  }

  // MARK: What goes wrong, the same way everywhere

  func failures() async throws {
    let (api, caller) = try await TestAPI.powerful(try await TestService())
    _ = try await api.send(.post, "/operator/accounts/", #"{"email": "ada@example.com"}"#)
    _ = try await api.createServer()
    _ = try await api.send(.post, "/ssh-keys/", #"{"name": "k", "public_key": "\#(Self.key)"}"#)
    _ = try await api.send(.post, "/backups/", #"{"server_id": 1}"#)
    _ = try await api.send(.post, "/snapshots/", #"{"server_id": 1, "name": "a"}"#)
    let (_, weak) = try await api.service.newToken(
      of: api.service.owner.accountID, permissions: [])
    for operation in document.operations where operation.needsToken {
      try await call(api, operation, token: "")
      if operation.permission != nil { try await call(api, operation, token: weak.text) }
      if operation.isForOperators {
        let other: Permission.Action = operation.permission == "operator:read" ? .write : .read
        let (_, half) = try await api.service.newToken(
          of: api.service.owner.accountID, permissions: [Permission(.operator, other)])
        try await call(api, operation, token: half.text)
      }
      try await call(api, operation, headers: [.accept: "text/html"])
      if operation.path.contains("{id}") { try await call(api, operation, id: "999999") }
      if operation.statuses.contains(412) {
        let body = #"{"name": "b", "hostname": "b", "backups_enabled": true, "enabled": true, "rules": []}"#
        try await call(api, operation, body, headers: [.ifMatch: "\"x\""])
      }
      if operation.bodySchema != nil { try await badBodies(api, operation) }
      if operation.method == "POST" { try await usedKeys(api, operation, caller) }
      if operation.method == "GET", operation.statuses.contains(400) {
        let last = HTTPField.Name("Last-Event-ID")!
        try await call(api, operation, query: "?ordering=nothing&month=2025-13", headers: [last: "x"])
      }
      if operation.method == "GET", operation.statuses.contains(404), !operation.path.contains("{id}") {
        try await call(api, operation, query: "?page=99")
      }
    }
  }

  private func badBodies(_ api: TestAPI, _ operation: APIDescription.Operation) async throws {
    try await call(api, operation, "{")
    try await call(api, operation, #"{"name": 1, "action": 1, "hostname": "-"}"#)
    try await call(api, operation, "a=b", headers: [.contentType: "application/x-www-form-urlencoded"])
    try await call(api, operation, String(repeating: " ", count: 1 << 20 + 1))
  }

  private func usedKeys(_ api: TestAPI, _ operation: APIDescription.Operation, _ caller: Caller) async throws {
    let requests = Idempotency(store: api.service.store, clock: api.service.clock)
    let path = "/api/v1" + operation.path.dropLast().replacingOccurrences(of: "{id}", with: Self.id(in: operation.path))
    for (key, path) in [("under way \(operation.name)", path), ("different \(operation.name)", "/another")] {
      _ = try await requests.begin(key: key, method: "POST", path: path, body: Array("{}".utf8), caller)
      try await call(api, operation, "{}", headers: [Self.keyHeader: key])
    }
  }

  /// One request too many of each kind: the clock stands still, so a token that has had its share gets no more.
  func throttling() async throws {
    let limits = RequestLimits(requestsPerMinute: 1, loginFailuresPerMinute: 0)
    let api = TestAPI(try await TestService(), limits: limits)
    for operation in document.operations where operation.needsToken {
      while try await api.send(.get, "/account/me/").status != 429 {}
      try await call(api, operation, "{}")
    }
  }

  // MARK: What goes well

  func successes() async throws {
    let api = try await TestAPI.make()
    for number in 0..<2 {
      _ = try await call(api, "POST /servers/", Self.server.replacingOccurrences(of: "\"a\"", with: "\"a\(number)\""))
      try await api.service.settle()
    }
    api.service.driver.configure { options in
      options.forwarding = PortForwarding(
        address: IPv4Address(number: 0xC633_6402), range: 20_000...39_999, guestPorts: [22, 80],
        servers: [IPv4Address(number: 0x7F50_0001)...IPv4Address(number: 0x7F50_0FFF)])
    }
    try await call(api, "GET /servers/", query: "?page_size=1")
    try await call(api, "GET /servers/{id}/")
    try await call(api, "PUT /servers/{id}/", #"{"name": "b", "hostname": "b", "backups_enabled": true}"#)
    try await call(api, "PATCH /servers/{id}/", #"{"name": "c", "labels": {"env": "prod", "example.com/tier": ""}}"#)
    let rule = #"{"direction": "in", "protocol": "tcp", "port": "22", "source_ips": ["::/0"]}"#
    try await call(api, "PUT /servers/{id}/firewall/", #"{"enabled": true, "rules": [\#(rule)]}"#)
    try await call(api, "GET /servers/{id}/firewall/")
    try await reverseNames(api)
    for path in ["stop", "start", "reboot"] {
      try await api.service.settle()
      try await call(api, "POST /servers/{id}/\(path)/")
    }
    try await api.service.settle()
    try await copies(api)
    try await api.service.settle()
    try await call(api, "POST /servers/{id}/console/")
    api.service.driver.inject(Fault(in: .openConsole, .fail(DriverError(.unreachable, "It hangs."))))
    try await call(api, "POST /servers/{id}/console/")
    try await call(api, "POST /servers/{id}/power/", #"{"action": "hard_stop"}"#)
    try await call(api, "POST /servers/{id}/resize/", #"{"plan_id": 1}"#)
    try await api.service.settle()
    try await call(api, "POST /servers/{id}/rebuild/")
    try await api.service.settle()
    try await call(api, "POST /servers/{id}/reset-password/")
    api.service.driver.inject(Fault(in: .setPassword, .fail(DriverError(.unreachable, "It hangs."))))
    try await call(api, "POST /servers/{id}/reset-password/")
    try await call(api, "POST /servers/{id}/rescue/")
    try await api.service.settle()
    try await call(api, "POST /servers/{id}/reset-password/")
    try await call(api, "DELETE /servers/{id}/rescue/")
    try await api.service.settle()
    try await call(api, "DELETE /servers/{id}/rescue/")
    try await call(api, "GET /servers/{id}/operations/", query: "?page_size=1")
    api.service.clock.advance(by: .seconds(60))
    await api.service.monitor.pollOnce()
    try await call(api, "GET /servers/{id}/metrics/")
    try await call(api, "GET /servers/{id}/metrics/", query: "?step=x")
    try await call(api, "DELETE /servers/{id}/")
    let events = try await api.stream("/events/")
    note(events.status, "GET /events/")
    events.cancel()

    for (number, key) in [Self.key, Self.key.replacingOccurrences(of: "dh2l9", with: "dh2l8")].enumerated() {
      try await call(api, "POST /ssh-keys/", #"{"name": "k\#(number)", "public_key": "\#(key)"}"#)
      try await call(api, "POST /tokens/", #"{"name": "t\#(number)", "permissions": ["*:*"]}"#)
    }
    for path in ["ssh-keys", "tokens", "plans", "operating-systems", "locations"] {
      try await call(api, "GET /\(path)/", query: "?page_size=1")
      try await call(api, "GET /\(path)/{id}/", id: path == "operating-systems" ? "3" : "2")
    }
    try await call(api, "DELETE /ssh-keys/{id}/")
    try await call(api, "DELETE /tokens/{id}/", id: "2")
    try await call(api, "GET /account/me/")
    try await call(api, "GET /account/ledger/", query: "?page_size=1")
    try await call(api, "GET /account/ledger/")
    try await call(api, "GET /account/usage/", query: "?page_size=1")
    try await call(api, "GET /openapi.json")
  }

  private func reverseNames(_ api: TestAPI) async throws {
    let body = #"{"ip_address": "127.80.0.1", "ptr": "web01.example.com"}"#
    try await call(api, "GET /servers/{id}/rdns/")
    let zones = api.service.zones
    let names = ReverseNames(
      store: api.service.store, namings: TestService.namings(zones, lookup: zones), clock: api.service.clock)
    zones.trouble = .away
    try await call(TestAPI(api.service, reverseNames: names), "PUT /servers/{id}/rdns/", body)
    zones.trouble = nil
    try await call(api, "PUT /servers/{id}/rdns/", body)
  }

  private func copies(_ api: TestAPI) async throws {
    try await call(api, "POST /backups/", #"{"server_id": 1}"#)
    try await call(api, "POST /snapshots/", #"{"server_id": 1, "name": "a"}"#)
    try await call(api, "POST /servers/{id}/backup/", #"{"label": "a"}"#)
    try await call(api, "POST /servers/{id}/snapshot/", #"{"label": "b"}"#)
    for path in ["backups", "snapshots"] {
      try await api.service.settle()
      try await call(api, "GET /\(path)/", query: "?page_size=1")
      try await call(api, "GET /\(path)/{id}/")
      try await call(api, "POST /\(path)/{id}/restore/")
      try await call(api, "DELETE /\(path)/{id}/")
    }
    try await api.service.settle()
  }

  /// There and back, but for a lack of room.
  func moves() async throws {
    let api = TestAPI(try await TestService(hosts: TestService.threeHosts))
    try await call(api, "POST /servers/", Self.server)
    try await api.service.settle()
    try await call(api, "POST /servers/{id}/move/", #"{"location": "us-east"}"#)
    try await api.service.settle()
    try await call(api, "GET /servers/{id}/operations/")
    for driver in api.service.drivers {
      driver.configure { $0.capacity = HostCapacity(vcpus: 0, memoryMiB: 0, storageGiB: 0) }
    }
    await api.service.monitor.pollOnce()
    try await call(api, "POST /servers/{id}/move/", #"{"location": "us-west"}"#)
  }

  /// Too little credit, and a full host.
  func shortages() async throws {
    var options = SimulatedDriver.Options()
    options.quirks = [.sshNeverAnswers]
    let poor = TestAPI(try await TestService(options: options, openingCredit: Money(microunits: 5_000)))
    for _ in 0..<2 { try await call(poor, "POST /servers/", Self.server) }
    try await call(poor, "POST /servers/{id}/resize/", #"{"plan_id": 1}"#)
    // The first one is in error, and what it held pays for the second one.
    try await poor.service.settle()
    try await call(poor, "POST /servers/", Self.server)
    try await call(poor, "POST /servers/{id}/rebuild/")
    try await call(poor, "POST /servers/{id}/rescue/")
    let small = try await TestAPI.make()
    try await call(small, "POST /servers/", Self.server)
    small.service.driver.configure { $0.absences["debian-12"] = .unavailable(for: .seconds(60)) }
    try await call(small, "POST /servers/{id}/rebuild/")
    small.service.driver.configure { $0.absences = [:] }
    small.service.driver.configure { $0.capacity = HostCapacity(vcpus: 1, memoryMiB: 512, storageGiB: 5) }
    await small.service.monitor.pollOnce()
    try await call(small, "POST /servers/{id}/resize/", #"{"plan_id": 1}"#)
    let full = TestAPI(try await TestService(addressPool: AddressPool("127.80.0.0/30")!))
    for _ in 0..<3 { try await call(full, "POST /servers/", Self.server) }
  }

  // MARK: One call

  /// Backups and snapshots have one series of ids, and the backup comes first. The second account is an operator's customer.
  static func id(in path: String) -> String {
    if path.hasPrefix("/operator/operating-systems/") { return "3" }
    return path.hasPrefix("/snapshots/") || path.hasPrefix("/operator/accounts/") ? "2" : "1"
  }

  func call(
    _ api: TestAPI, _ name: String, _ body: String? = nil, id: String? = nil, query: String = ""
  ) async throws {
    let operation = try #require(document.operation(name), "\(name) is not documented")
    try await call(api, operation, body, id: id, query: query)
  }

  func call(
    _ api: TestAPI, _ operation: APIDescription.Operation, _ body: String? = nil, id: String? = nil,
    query: String = "", token: String? = nil, headers: HTTPFields = [:]
  ) async throws {
    let id = id ?? Self.id(in: operation.path)
    let method = try #require(HTTPRequest.Method(operation.method))
    let path = operation.path.replacing("{id}", with: id).replacing("{token_id}", with: "3") + query
    let reply = try await api.send(method, path, body, token: token, headers: headers)
    note(reply.status, operation.name)
    guard operation.statuses.contains(reply.status) else { return }
    guard let schema = try document.replySchema(operation, reply.status) else {
      if !reply.text.isEmpty { wrong.append("\(operation.name) \(reply.status): a body that is not documented") }
      return
    }
    let value = try JSONSerialization.jsonObject(with: Data(reply.text.utf8))
    let result = try document.check(value, schema)
    wrong += result.wrong.map { "\(operation.name) \(reply.status): \($0)" }
    fields.formUnion(result.seen)
  }

  private func note(_ status: Int, _ name: String) {
    statuses[name, default: []].insert(status)
  }
}
