import Core
import Engine
import Foundation
import HTTPTypes
import SimulatedDriver
import TestSupport

/// The same for what operators' programs call.
extension OpenAPIDrive {
  private static let customersServer =
    #"{"account_id": 2, "name": "a", "plan_id": 3, "os_id": 3, "location": "us-west"}"#

  func operators() async throws {
    let service = try await TestService(hosts: TestService.threeHosts)
    let api = try await TestAPI.powerful(service).api
    for driver in service.drivers {
      driver.configure { $0.capacity = HostCapacity(vcpus: 64, memoryMiB: 65_536, storageGiB: 1000) }
    }
    await service.monitor.pollOnce()
    try await accounts(api)
    try await servers(api)
    try await catalogue(api)
    for name in ["hosts", "images", "audit"] {
      try await call(api, "GET /operator/\(name)/", query: "?page_size=1")
      try await call(api, "GET /operator/\(name)/")
    }
    // The first one is that of an installation without any.
    try await call(api, "GET /operator/hosts/{id}/", id: "2")
    for action in ["drain", "undrain"] { try await call(api, "POST /operator/hosts/{id}/\(action)/", id: "2") }
    try await call(api, "DELETE /operator/servers/{id}/")
    try await call(api, "DELETE /operator/accounts/{id}/")
    try await call(api, "DELETE /operator/accounts/{id}/", query: "?delete_servers=true")
  }

  private func accounts(_ api: TestAPI) async throws {
    for name in ["ada", "bob"] {
      let body = #"{"email": "\#(name)@example.com", "first_name": "A", "credit": "10.00"}"#
      try await call(api, "POST /operator/accounts/", body)
    }
    try await call(api, "POST /operator/accounts/{id}/credit/", #"{"amount": "5.00", "note": "Invoice"}"#)
    try await call(api, "PATCH /operator/accounts/{id}/", #"{"language": "bg"}"#)
    try await call(api, "POST /operator/accounts/{id}/suspend/", #"{"reason": "Overdue"}"#)
    try await call(api, "GET /operator/accounts/", query: "?page_size=1")
    try await call(api, "POST /operator/accounts/{id}/resume/")
    try await call(api, "GET /operator/accounts/{id}/")
    try await call(api, "POST /operator/accounts/{id}/login-link/")
    for name in ["t", "u"] {
      try await call(
        api, "POST /operator/accounts/{id}/tokens/", #"{"name": "\#(name)", "permissions": ["servers:read"]}"#)
    }
    try await call(api, "GET /operator/accounts/{id}/tokens/", query: "?page_size=1")
    try await call(api, "GET /operator/accounts/{id}/tokens/{token_id}/")
    try await call(api, "DELETE /operator/accounts/{id}/tokens/{token_id}/")
    try await call(api, "GET /operator/accounts/{id}/ledger/")
    try await call(api, "GET /operator/accounts/{id}/usage/")
  }

  private func servers(_ api: TestAPI) async throws {
    for _ in 0..<2 {
      try await call(api, "POST /operator/servers/", Self.customersServer)
      try await api.service.settle()
    }
    try await call(api, "GET /operator/servers/", query: "?page_size=1")
    try await call(api, "GET /operator/servers/{id}/")
    try await call(api, "GET /operator/servers/{id}/usage/")
    try await call(api, "PATCH /operator/servers/{id}/", #"{"name": "b"}"#)
    for action in ["stop", "start", "reboot"] {
      try await call(api, "POST /operator/servers/{id}/\(action)/")
      try await api.service.settle()
    }
    try await call(api, "POST /operator/servers/{id}/resize/", #"{"plan_id": 1}"#)
    try await api.service.settle()
    try await call(api, "POST /operator/servers/{id}/rebuild/")
    try await api.service.settle()
    try await call(api, "POST /operator/servers/{id}/suspend/", #"{"reason": "Spam"}"#)
    try await call(api, "POST /operator/servers/{id}/resume/")
  }

  private func catalogue(_ api: TestAPI) async throws {
    let offers: [(path: String, new: String, taken: String?, change: String)] = [
      (
        "plans",
        #"{"name": "Tiny", "vcpus": 1, "memory": 512, "storage": 5, "bandwidth": 10, "price_hourly": "0.001"}"#,
        #"{"slug": "nano"}"#, #"{"description": "Small."}"#
      ),
      (
        "operating-systems", #"{"name": "Debian 13", "family": "debian", "version": "13"}"#,
        #"{"slug": "ubuntu-22.04"}"#, #"{"name": "Debian"}"#
      ),
      (
        "locations", #"{"code": "eu-1", "name": "Europe", "country_code": "BG", "country_name": "Bulgaria"}"#, nil,
        #"{"name": "East"}"#
      ),
    ]
    for (path, new, taken, change) in offers {
      try await call(api, "POST /operator/\(path)/", new)
      try await call(api, "GET /operator/\(path)/", query: "?page_size=1")
      let id = path == "operating-systems" ? "3" : "2"
      try await call(api, "GET /operator/\(path)/{id}/", id: id)
      try await call(api, "PATCH /operator/\(path)/{id}/", change, id: id)
      if let taken { try await call(api, "PATCH /operator/\(path)/{id}/", taken, id: id) }
    }
  }

  /// Too little credit, and a full host.
  func operatorsShortages() async throws {
    var options = SimulatedDriver.Options()
    options.quirks = [.sshNeverAnswers]
    let poor = try await customer(of: try await TestService(options: options), credit: "0.005")
    for _ in 0..<2 { try await call(poor, "POST /operator/servers/", Self.customersServer) }
    try await call(poor, "POST /operator/servers/{id}/resize/", #"{"plan_id": 1}"#)
    // The first one is in error, and what it held pays for the second one.
    try await poor.service.settle()
    try await call(poor, "POST /operator/servers/", Self.customersServer)
    try await call(poor, "POST /operator/servers/{id}/rebuild/")
    let small = try await customer(of: try await TestService(), credit: "10.00")
    try await call(small, "POST /operator/servers/", Self.customersServer)
    small.service.driver.configure { $0.absences["debian-12"] = .unavailable(for: .seconds(60)) }
    try await call(small, "POST /operator/servers/{id}/rebuild/")
    small.service.driver.configure { options in
      options.absences = [:]
      options.capacity = HostCapacity(vcpus: 1, memoryMiB: 512, storageGiB: 5)
    }
    await small.service.monitor.pollOnce()
    try await call(small, "POST /operator/servers/{id}/resize/", #"{"plan_id": 1}"#)
    try await call(small, "POST /operator/servers/", Self.customersServer)
  }

  private func customer(of service: TestService, credit: String) async throws -> TestAPI {
    let api = try await TestAPI.powerful(service).api
    _ = try await api.send(.post, "/operator/accounts/", #"{"email": "ada@example.com", "credit": "\#(credit)"}"#)
    return api
  }
}
