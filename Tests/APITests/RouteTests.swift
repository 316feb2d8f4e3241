import Core
import Engine
import Foundation
import HTTPTypes
import TestSupport
import Testing

@Suite("What the API answers")
struct RouteTests {
  private static let key =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl work@laptop"

  @Test("A path without its final slash is the same path")
  func finalSlash() async throws {
    let api = try await TestAPI.make()
    let created = try await api.send(
      .post, "/servers", #"{"name": "a", "plan_id": 3, "os_id": 3, "location": "us-west"}"#)
    #expect(created.status == 201)
    #expect(try await api.send(.get, "/servers").status == 200)
  }

  @Test("A new server shows its status, no address, and a password only without a key")
  func created() async throws {
    let api = try await TestAPI.make()
    let reply = try await api.send(
      .post, "/servers/", #"{"name": "web-1", "plan_id": 3, "os_id": 3, "location": "us-west"}"#)
    #expect(reply.text.contains(#""status":"provisioning","ip_address":null"#))
    #expect(reply.text.contains(#""message":"Server is being provisioned. This may take 2-5 minutes.","password":""#))
    let key = try await api.send(.post, "/ssh-keys/", #"{"name": "k", "public_key": "\#(Self.key)"}"#)
    let id = try #require(try key.json["id"] as? Int)
    let withKey = try await api.send(
      .post, "/servers/",
      #"{"name": "web-2", "plan_id": 3, "os_id": 3, "location": "us-west", "ssh_key_id": \#(id)}"#)
    #expect(withKey.status == 201)
    #expect(!withKey.text.contains("password"))
    #expect(!(try await api.send(.get, "/servers/\(id)/").text.contains("password")))
  }

  @Test("An active server shows its address and its usage in whole units")
  func detail() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    let reply = try await api.send(.get, "/servers/\(id)/")
    #expect(reply.text.contains(#""ip_address":"127.80.0.1","ipv6_address":null"#))
    let usage = try #require(try reply.json["resource_usage"] as? [String: Any])
    #expect(usage.count == 4)
    #expect((usage["memory_used"] as? Int ?? 0) > 0)
    #expect((usage["disk_used"] as? Int ?? 0) > 0)
  }

  @Test("PUT needs all three fields, PATCH any of them, and neither cares about the status")
  func update() async throws {
    let api = try await TestAPI.make()
    let id = try await api.createServer()
    let put = try await api.send(.put, "/servers/\(id)/", #"{"name": "b"}"#)
    #expect(put.status == 400)
    #expect(try Set(put.json.keys) == ["hostname", "backups_enabled"])
    let patch = try await api.send(.patch, "/servers/\(id)/", #"{"backups_enabled": true, "id": 77, "status": "x"}"#)
    #expect(patch.status == 200)
    #expect(try patch.json["backups_enabled"] as? Bool == true)
    #expect(try patch.json["id"] as? Int == id)
    #expect(try patch.json["status"] as? String == "provisioning")
    #expect(try await api.send(.patch, "/servers/\(id)/", "{}").status == 200)
    #expect(try await api.send(.patch, "/servers/\(id)/", #"{"name": "no good"}"#).status == 400)
  }

  @Test("SSH keys are kept with their fingerprint, once an account, and can be removed")
  func sshKeys() async throws {
    let api = try await TestAPI.make()
    let body = #"{"name": "work-laptop", "public_key": "\#(Self.key)\n"}"#
    let created = try await api.send(.post, "/ssh-keys/", body)
    #expect(created.status == 201)
    let id = try #require(try created.json["id"] as? Int)
    #expect(try (created.json["fingerprint"] as? String)?.hasPrefix("SHA256:") == true)
    let order = created.text.matches(of: /"([a-z_]+)":/).map { String($0.output.1) }
    #expect(order == ["id", "uuid", "name", "fingerprint", "public_key", "created_at", "last_used_at"])
    let again = try await api.send(.post, "/ssh-keys/", body)
    #expect(again.status == 400)
    #expect(try again.json["public_key"] != nil)
    let bad = try await api.send(.post, "/ssh-keys/", #"{"name": "x", "public_key": "rm -rf /"}"#)
    #expect(bad.status == 400)
    #expect(try bad.json["public_key"] != nil)

    let (_, other) = try await api.service.newCaller()
    #expect(try await api.send(.get, "/ssh-keys/\(id)/", token: other.text).status == 404)
    #expect(try await api.send(.delete, "/ssh-keys/\(id)/", token: other.text).status == 404)
    #expect(try await api.send(.post, "/ssh-keys/", body, token: other.text).status == 201)

    #expect(try await api.send(.get, "/ssh-keys/").json["count"] as? Int == 1)
    #expect(try await api.send(.delete, "/ssh-keys/\(id)/").status == 204)
    #expect(try await api.send(.get, "/ssh-keys/\(id)/").status == 404)
  }

  @Test("The catalogue has the ids and figures of the documentation")
  func catalogue() async throws {
    let api = try await TestAPI.make()
    let nano = try await api.send(.get, "/plans/3/")
    #expect(
      nano.text.replacing(/[0-9a-f]{8}-[0-9a-f-]{27}/, with: "UUID")
        == #"{"id":3,"name":"Nano VPS","slug":"nano","vcpus":1,"memory":512,"storage":5,"bandwidth":512,"#
        + #""price_monthly":3.36,"price_hourly":0.005,"available":true,"locations":["us-west","us-east"],"#
        + #""description":"1 vCPU, 512 MiB memory, 5 GiB storage.","uuid":"UUID","ram":0.5,"ram_unit":"GB","cpu":1,"#
        + #""disk_space":5,"transfer":512,"monthly_price":3.36,"hourly_price":0.005,"port_speed_mbit":null}"#)
    #expect(try await api.send(.get, "/plans/").json["count"] as? Int == 3)
    #expect(try await api.send(.get, "/plans/?location=mars").status == 400)
    #expect(try await api.send(.get, "/operating-systems/3/").json["name"] as? String == "Debian 12")
    #expect(try await api.send(.get, "/operating-systems/5/").json["name"] as? String == "Ubuntu 22.04 LTS")
    #expect(try await api.send(.get, "/locations/").json["count"] as? Int == 2)
  }

  @Test("Health needs no token")
  func health() async throws {
    let api = try await TestAPI.make()
    let reply = try await api.send(.get, "//healthz", token: "")
    #expect(reply.status == 200)
    #expect(reply.text == #"{"status":"ok"}"#)
  }

  @Test("Reads, writes and token misses side by side never hang the service")
  func parallel() async throws {
    let api = try await TestAPI.make()
    try await withThrowingTaskGroup { group in
      for number in 0..<200 {
        group.addTask {
          switch number % 4 {
          case 0: _ = try await api.createServer(name: "s\(number)")
          case 1: #expect(try await api.send(.get, "/servers/").status == 200)
          case 2: #expect(try await api.send(.get, "/servers/", token: TokenMiss.text(number)).status == 401)
          default: #expect(try await api.send(.get, "//healthz", token: "").status == 200)
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await api.service.store.allServers().count == 50)
  }
}

/// A token that could exist and does not, so that the store is asked.
private enum TokenMiss {
  static func text(_ number: Int) -> String {
    let digits = String(number)
    return "vps_" + String(repeating: "0", count: 43 - digits.count) + digits
  }
}
