import Core
import Engine
import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import API

/// Every kind of row that a request can make is here, or bounded by the rate of requests (docs/reliability.md).
@Suite("An account has no more of anything than the operator lets it have")
struct QuotaTests {
  private static let keyHeader = HTTPField.Name("Idempotency-Key")!

  /// A public key of its own for each number.
  private static func publicKey(_ number: Int) -> String {
    var blob = Data([0, 0, 0, 11]) + Data("ssh-ed25519".utf8) + Data([0, 0, 0, 32])
    blob += Data((0..<32).map { UInt8(truncatingIfNeeded: number >> ($0 % 2 * 8)) })
    return "ssh-ed25519 \(blob.base64EncodedString()) n\(number)"
  }

  @Test("So many tokens, of which those that are revoked or have expired make room")
  func tokens() async throws {
    let api = TestAPI(try await TestService(), quotas: .init(tokens: 3))
    let end = (api.service.clock.now + .seconds(10)).wireFormat
    let body = #"{"name": "t", "permissions": ["*:*"]}"#
    #expect(try await api.send(.post, "/tokens/", body).status == 201)
    let ending = try await api.send(
      .post, "/tokens/", #"{"name": "e", "permissions": ["*:*"], "expires_at": "\#(end)"}"#)
    #expect(ending.status == 201)
    let refused = try await api.send(.post, "/tokens/", body)
    #expect(refused.status == 403)
    #expect(refused.text == #"{"detail":"Token quota reached (3)."}"#)
    #expect(try await api.send(.get, "/tokens/").json["count"] as? Int == 3)
    let (_, other) = try await api.service.newCaller()
    #expect(try await api.send(.post, "/tokens/", body, token: other.text).status == 201)

    #expect(try await api.send(.delete, "/tokens/2/").status == 204)
    #expect(try await api.send(.post, "/tokens/", body).status == 201)
    #expect(try await api.send(.post, "/tokens/", body).status == 403)
    api.service.clock.advance(by: .seconds(10))
    #expect(try await api.send(.get, "/tokens/").json["count"] as? Int == 3)
    #expect(try await api.send(.post, "/tokens/", body).status == 201)
    #expect(try await api.send(.post, "/tokens/", body).status == 403)
    #expect(try await api.service.contradictions() == [])
  }

  @Test("So many SSH keys, of which one that is deleted makes room")
  func sshKeys() async throws {
    let api = TestAPI(try await TestService(), quotas: .init(sshKeys: 2))
    func create(_ number: Int, token: String? = nil) async throws -> TestAPI.Reply {
      let body = #"{"name": "k\#(number)", "public_key": "\#(Self.publicKey(number))"}"#
      return try await api.send(.post, "/ssh-keys/", body, token: token)
    }
    #expect(try await create(1).status == 201)
    #expect(try await create(2).status == 201)
    let refused = try await create(3)
    #expect(refused.status == 403)
    #expect(refused.text == #"{"detail":"SSH key quota reached (2)."}"#)
    let (_, other) = try await api.service.newCaller()
    #expect(try await create(3, token: other.text).status == 201)
    #expect(try await api.send(.delete, "/ssh-keys/1/").status == 204)
    #expect(try await create(3).status == 201)
  }

  @Test("Many at once do not get past a quota")
  func atOnce() async throws {
    let api = TestAPI(try await TestService(), quotas: .init(tokens: 5, sshKeys: 5))
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<20 {
        group.addTask {
          _ = try? await api.send(.post, "/tokens/", #"{"name": "t", "permissions": ["*:*"]}"#)
          let key = #"{"name": "k", "public_key": "\#(Self.publicKey(number))"}"#
          _ = try? await api.send(.post, "/ssh-keys/", key)
        }
      }
    }
    #expect(try await api.send(.get, "/tokens/").json["count"] as? Int == 5)
    #expect(try await api.send(.get, "/ssh-keys/").json["count"] as? Int == 5)
  }

  @Test("So many requests are remembered: the oldest one gives way once it is an hour old, and not before")
  func requests() async throws {
    var limits = Idempotency.Limits()
    limits.requests = 3
    let api = TestAPI(try await TestService(), quotas: .init(requests: limits))
    func post(_ key: String, token: String? = nil) async throws -> TestAPI.Reply {
      let body = #"{"name": "\#(key)", "plan_id": 3, "os_id": 3, "location": "us-west"}"#
      return try await api.send(.post, "/servers/", body, token: token, headers: [Self.keyHeader: key])
    }
    for key in ["a", "b", "c"] {
      #expect(try await post(key).status == 201)
      api.service.clock.advance(by: .seconds(60))
    }
    let refused = try await post("d")
    #expect(refused.status == 403)
    #expect(refused.text == #"{"detail":"Idempotency-Key quota reached (3)."}"#)
    #expect(try await post("a").json["id"] as? Int == 1)
    let (_, other) = try await api.service.newCaller()
    #expect(try await post("a", token: other.text).status == 201)
    let count = try await api.service.store.allServers().count

    api.service.clock.advance(by: .seconds(3600))
    #expect(try await post("d").status == 201)
    #expect(try await api.service.store.allServers().count == count + 1)
    // All that were an hour old may have gone, and a refused one takes no place.
    for key in ["e", "f"] { #expect(try await post(key).status == 201) }
    #expect(try await post("g").status == 403)
    #expect(try await post("d").headers[.init("Idempotent-Replayed")!] == "true")
    #expect(try await api.service.contradictions() == [])
  }

  @Test("So many bytes of answers are remembered, and refused requests take none")
  func bytes() async throws {
    var limits = Idempotency.Limits()
    limits.bytes = 3_000
    let api = TestAPI(try await TestService(), quotas: .init(requests: limits))
    let body = #"{"name": "a", "plan_id": 3, "os_id": 3, "location": "us-west"}"#
    for number in 0..<50 {
      let reply = try await api.send(.post, "/servers/", "{}", headers: [Self.keyHeader: "bad \(number)"])
      #expect(reply.status == 400)
    }
    var carriedOut = 0
    while try await api.send(.post, "/servers/", body, headers: [Self.keyHeader: "\(carriedOut)"]).status == 201 {
      carriedOut += 1
      try #require(carriedOut < 20)
    }
    #expect((2...8).contains(carriedOut))
    #expect(try await api.send(.post, "/servers/", body).status == 201)
    api.service.clock.advance(by: .seconds(3601))
    #expect(try await api.send(.post, "/servers/", body, headers: [Self.keyHeader: "x"]).status == 201)
  }

  @Test("However much an account has, a list is a page of it: in what is read and in what is answered")
  func lists() async throws {
    var limits = TestAPI.noLimits
    limits.pageSize = 10
    let api = TestAPI(try await TestService(), limits: limits)
    let name = String(repeating: "n", count: 255)
    for number in 0..<25 {
      _ = try await api.send(.post, "/tokens/", #"{"name": "\#(name)", "permissions": ["*:*"]}"#)
      _ = try await api.send(
        .post, "/ssh-keys/", #"{"name": "\#(name)", "public_key": "\#(Self.publicKey(number))"}"#)
    }
    for (path, count) in [("/tokens/", 26), ("/ssh-keys/", 25)] {
      let reply = try await api.send(.get, path)
      #expect(try reply.json["count"] as? Int == count)
      #expect(try (reply.json["results"] as? [Any])?.count == 10)
      #expect(reply.text.utf8.count < 10 * 1_000)
      let last = try await api.send(.get, path + "?page=3").json["results"] as? [Any]
      #expect(last?.count == count - 20)
      let ids = try await api.send(.get, path + "?ordering=-id&page_size=2").json["results"] as? [[String: Any]]
      #expect(ids?.compactMap { $0["id"] as? Int } == [count, count - 1])
      #expect(try await api.send(.get, path + "?name=\(name.uppercased())").json["count"] as? Int == 25)
    }
  }

  @Test("A key is found by its name whatever the case of its letters, in every alphabet")
  func names() async throws {
    let api = try await TestAPI.make()
    _ = try await api.send(.post, "/ssh-keys/", #"{"name": "Работа", "public_key": "\#(Self.publicKey(1))"}"#)
    let wanted = try #require("рАБОТА".addingPercentEncoding(withAllowedCharacters: .alphanumerics))
    #expect(try await api.send(.get, "/ssh-keys/?name=\(wanted)").json["count"] as? Int == 1)
    #expect(try await api.send(.get, "/tokens/?name=\(wanted)").json["count"] as? Int == 0)
  }
}
