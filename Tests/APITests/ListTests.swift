import Foundation
import HTTPTypes
import TestSupport
import Testing

@Suite("Lists come in pages, in the order that is asked for")
struct ListTests {
  private static let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a@b"

  private func api(servers names: [String]) async throws -> TestAPI {
    let api = try await TestAPI.make()
    for name in names {
      _ = try await api.createServer(name: name)
      api.service.clock.advance(by: .seconds(1))
    }
    return api
  }

  private func names(_ reply: TestAPI.Reply) throws -> [String] {
    try (reply.json["results"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
  }

  @Test("A list that fits on one page has neither next nor previous")
  func onePage() async throws {
    let api = try await api(servers: ["a", "b"])
    let reply = try await api.send(.get, "/servers/")
    #expect(reply.text.hasPrefix(#"{"count":2,"results":["#))
    #expect(try await api.send(.get, "/servers/?page=1&page_size=2").json["next"] == nil)
  }

  @Test("A list that spans pages says where the others are, with the filters of the request")
  func pages() async throws {
    let api = try await api(servers: ["a", "b", "c"])
    let path = "/servers/?location=us-west&page_size=1"
    let first = try await api.send(.get, path)
    let base = "http://127.0.0.1/api/v1"
    #expect(first.text.hasPrefix(#"{"count":3,"next":"\#(base)\#(path)&page=2","previous":null,"results":["#))
    let second = try await api.send(.get, path + "&page=2")
    #expect(try names(second) == ["b"])
    #expect(try second.json["next"] as? String == base + path + "&page=3")
    #expect(try second.json["previous"] as? String == base + path)
    let last = try await api.send(.get, path + "&page=last")
    #expect(try names(last) == ["c"])
    #expect(try last.json["next"] is NSNull)
  }

  @Test("Whoever deletes what a page shows and goes on after it leaves nothing out", arguments: ["", "&ordering=-id"])
  func deleteWhileTurning(_ ordering: String) async throws {
    let api = try await TestAPI.make()
    for number in 1...11 { _ = try await api.createServer(name: "s\(number)") }
    var next: String? = "/servers/?page_size=3&after=\(ordering.isEmpty ? 0 : 1000)" + ordering
    var deleted: [Int] = []
    while let path = next {
      let page = try await api.send(.get, path.replacing("http://127.0.0.1/api/v1", with: ""))
      #expect(try page.json["count"] as? Int == 11 - deleted.count)
      for server in try page.json["results"] as? [[String: Any]] ?? [] {
        let id = try #require(server["id"] as? Int)
        deleted.append(id)
        #expect(try await api.send(.delete, "/servers/\(id)/").status == 204)
      }
      next = try page.json["next"] as? String
      #expect(try page.json["previous"] is NSNull || next == nil)
    }
    #expect(deleted == (ordering.isEmpty ? Array(1...11) : (1...11).reversed()))
  }

  @Test(
    "Every list goes on after an id",
    arguments: [
      "/servers/", "/ssh-keys/", "/plans/", "/operating-systems/", "/locations/", "/tokens/", "/backups/",
      "/snapshots/",
      "/servers/1/operations/",
    ])
  func after(_ path: String) async throws {
    let api = try await TestAPI.make()
    _ = try await api.createServer()
    let all = try await api.send(.get, path).json["results"] as? [[String: Any]] ?? []
    let ids = all.compactMap { $0["id"] as? Int }
    for id in [0] + ids + [1_000_000] {
      let rest = try await api.send(.get, path + "?after=\(id)").json
      #expect((rest["results"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? Int } == ids.filter { $0 > id })
      #expect(rest["count"] as? Int == ids.count)
    }
    for query in ["after=x", "after=-1", "after=99999999999999999999", "after=1&page=1", "after=1&ordering=name"] {
      let reply = try await api.send(.get, path + "?" + query)
      #expect(reply.status == 400, "\(query)")
    }
  }

  @Test(
    "A parameter with two values is refused, and never silently one",
    arguments: [
      ("status=active&status=stopped", "status"), ("status=active&%73tatus=stopped", "status"),
      ("location=us-west&location=us-east", "location"), ("page=1&page=2", "page"),
      ("page_size=1&page_size=2", "page_size"), ("ordering=id&ordering=name", "ordering"), ("name=a&name=b", "name"),
      ("hostname=a&x=1&hostname=b", "hostname"), ("%00=1&%00=2", "non_field_errors"),
    ])
  func givenTwice(_ query: String, _ field: String) async throws {
    let api = try await TestAPI.make()
    let reply = try await api.send(.get, "/servers/?\(query)")
    #expect(reply.status == 400)
    #expect(reply.text == #"{"\#(field)":["Give this parameter once."]}"#)
  }

  @Test(
    "A null character, which no stored text has, is refused by the name of its filter",
    arguments: [
      ("/servers/", ["name", "hostname", "location", "label_selector"]), ("/ssh-keys/", ["name"]),
      ("/tokens/", ["name"]), ("/backups/", ["server_id"]), ("/snapshots/", ["name"]),
      ("/plans/", ["location", "name"]),
      ("/operator/accounts/", ["email", "search"]), ("/operator/servers/", ["name", "search", "location"]),
    ])
  func nullCharacter(_ path: String, _ fields: [String]) async throws {
    let api = try await TestAPI.powerful(try await TestService()).api
    for field in fields {
      let reply = try await api.send(.get, "\(path)?\(field)=a%00b")
      #expect(reply.status == 400)
      #expect(reply.text == #"{"\#(field)":["Null characters are not allowed."]}"#, "\(path)")
    }
  }

  @Test("Where both values are the same, or one is empty, nothing is lost")
  func givenTwiceAlike() async throws {
    let api = try await TestAPI.make()
    for query in ["status=active&status=active", "status=&status=active", "status=active&status&&=1&=2"] {
      #expect(try await api.send(.get, "/servers/?\(query)").status == (query.contains("&&=") ? 400 : 200))
    }
  }

  @Test(
    "A page that is not there is not found, on every list",
    arguments: ["/servers/", "/ssh-keys/", "/plans/", "/operating-systems/", "/locations/"])
  func invalidPage(path: String) async throws {
    let api = try await TestAPI.make()
    for page in ["0", "-1", "x", "1.5", "99", "99999999999999999999999"] {
      let reply = try await api.send(.get, path + "?page=\(page)")
      #expect(reply.status == 404)
      #expect(reply.text == #"{"detail":"Invalid page."}"#)
    }
    #expect(try await api.send(.get, path + "?page=last").status == 200)
  }

  @Test(
    "A page size that is none counts as absent, and one that is too large as the largest", arguments: ["0", "x", "-2"])
  func pageSize(size: String) async throws {
    let api = try await api(servers: (0..<101).map { "s\($0)" })
    #expect(try names(try await api.send(.get, "/servers/?page_size=\(size)")).count == 100)
    let capped = try await api.send(.get, "/servers/?page_size=5000")
    #expect(try names(capped).count == 100)
    #expect(try capped.json["count"] as? Int == 101)
    #expect(try names(try await api.send(.get, "/servers/?page=2")) == ["s100"])
  }

  @Test("Servers can be ordered by several keys, up and down; the id decides between equals")
  func ordering() async throws {
    let api = try await api(servers: ["b", "a", "c", "a"])
    #expect(try names(try await api.send(.get, "/servers/?ordering=name")) == ["a", "a", "b", "c"])
    #expect(try names(try await api.send(.get, "/servers/?ordering=-created_at")) == ["a", "c", "a", "b"])
    #expect(try names(try await api.send(.get, "/servers/?ordering=-id&page_size=2&page=2")) == ["a", "b"])
    let both = try await api.send(.get, "/servers/?ordering=name,-id")
    #expect(try (both.json["results"] as? [[String: Any]])?.first?["id"] as? Int == 4)
    let unknown = try await api.send(.get, "/servers/?ordering=price")
    #expect(unknown.status == 400)
    #expect(try (unknown.json["ordering"] as? [String])?.first?.contains("created_at") == true)
    #expect(try names(try await api.send(.get, "/plans/?ordering=-price_hourly")).first == "Performance VPS")
  }

  @Test("Servers are found by name and by hostname, whatever the case of the letters, and by nothing less")
  func filters() async throws {
    let api = try await api(servers: ["Web", "web-2"])
    #expect(try names(try await api.send(.get, "/servers/?name=wEB")) == ["Web"])
    #expect(try names(try await api.send(.get, "/servers/?hostname=WEB-2")) == ["web-2"])
    #expect(try names(try await api.send(.get, "/servers/?name=we")).isEmpty)
    #expect(try names(try await api.send(.get, "/servers/?name=%25")).isEmpty)
    _ = try await api.send(.post, "/ssh-keys/", #"{"name": "Work", "public_key": "\#(Self.key)"}"#)
    #expect(try names(try await api.send(.get, "/ssh-keys/?name=work")) == ["Work"])
    #expect(try names(try await api.send(.get, "/ssh-keys/?name=home")).isEmpty)
  }
}
