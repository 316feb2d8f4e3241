import APIClient
import Foundation
import Testing

/// The whole program with every log message that it and its libraries have, on simulated machines.
@Suite("What is secret", .serialized)
struct SecretTests {
  @Test("No token and no password is in the log, in the database, in a file or in a reply but the one that shows it")
  func secrets() async throws {
    try await Service.with(["VPSD_DRIVER": "simulated", "VPSD_LOG_LEVEL": "trace"]) { service in
      let client = try service.client()
      let first = try String(contentsOfFile: service.data + "/token", encoding: .utf8)
        .trimmingCharacters(in: .whitespacesAndNewlines)
      let second = try await made(client, "/tokens/", #"{"name": "second", "permissions": ["*:*"]}"#, field: "token")
      let password = try await made(
        client, "/servers/", #"{"name": "pw", "plan_id": 3, "os_id": 3, "location": "us-west"}"#, field: "password")
      let operators = try service.operate(["token", "create", "--name", "third"])
      let third = try #require(operators.firstMatch(of: /vps_[A-Za-z0-9_-]{43}/).map { String($0.output) })
      let secrets = [first, second, third, password]
      #expect(Set(secrets).count == 4)

      for token in [second, third, String(second.dropLast()) + "!"] {
        try await useAndMisuse(try service.client(token: token), secrets)
      }
      _ = try await eventually("an active server", withinSeconds: 180) {
        try await client.servers().allSatisfy { $0.status == "active" } ? true : nil
      }
      let log = try String(contentsOf: service.log, encoding: .utf8)
      let output = try String(contentsOf: service.banner, encoding: .utf8)
      #expect(log.contains("trace") && output.contains("vpsd listens on"))
      for secret in secrets {
        // Both of them are the journal of a service that nobody looks at.
        #expect(!log.contains(secret) && !output.contains(secret))
        let files = try files(in: service.data, containing: secret)
        #expect(files == (secret == first ? ["token"] : []))
      }
      for command in ["audit", "check"] { _ = try service.operate([command]) }
    }
  }

  private func made(_ client: APIClient, _ path: String, _ body: String, field: String) async throws -> String {
    let reply = try await client.send("POST", path, json: Data(body.utf8))
    #expect(reply.status == 201)
    let object = try JSONSerialization.jsonObject(with: reply.body) as? [String: Any]
    return try #require(object?[field] as? String)
  }

  /// Requests of all sorts, most of them wrong.
  private func useAndMisuse(_ client: APIClient, _ secrets: [String]) async throws {
    for (method, path, body) in [
      ("GET", "/servers/", nil), ("GET", "/tokens/", nil), ("GET", "/servers/1/", nil), ("GET", "/account/me/", nil),
      ("GET", "/servers/1/operations/", nil), ("POST", "/servers/", "{"), ("POST", "/servers/", "[1]"),
      ("POST", "/tokens/", #"{"name": 1, "permissions": ["moon:read"]}"#), ("DELETE", "/servers/99/", nil),
      ("POST", "/ssh-keys/", #"{"name": "x", "public_key": "ssh-rsa nonsense"}"#), ("PUT", "/tokens/", "{}"),
    ] {
      let reply = try await client.send(method, path, json: body.map { Data($0.utf8) })
      for secret in secrets { #expect(!reply.text.contains(secret), "\(method) \(path)") }
    }
  }

  private func files(in folder: String, containing secret: String) throws -> [String] {
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
    return names.filter { name in
      FileManager.default.contents(atPath: folder + "/" + name)?.range(of: Data(secret.utf8)) != nil
    }.sorted()
  }
}
