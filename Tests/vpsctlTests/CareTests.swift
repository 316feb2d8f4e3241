import Foundation
import Testing

@Suite("What cannot be undone is done to what was said in full, and what is told once is not lost")
struct CareTests {
  private static func listing() throws -> ScriptedServer {
    try ScriptedServer { request in
      request.path.contains("/9")
        ? .json(404, #"{"detail": "Not found."}"#)
        : .json(
          200,
          #"{"count": 2, "results": [{"id": 17, "name": "web-production", "slug": "s", "code": "c"}, {"id": 18, "name": "9", "slug": "t", "code": "d"}]}"#
        )
    }
  }

  @Test(
    "The beginning of a name destroys nothing, and neither do digits that are a name",
    arguments: [
      ["server", "delete", "web", "--yes"], ["server", "delete", "9", "--yes"], ["server", "rebuild", "web", "--yes"],
      ["server", "power-off", "web"], ["server", "update", "web", "--name", "x"],
      ["server", "firewall", "disable", "web"], ["server", "rdns", "set", "web", "--reset"],
      ["snapshot", "restore", "web", "--yes"],
      ["snapshot", "delete", "web", "--yes"], ["ssh-key", "delete", "web", "--yes"],
      ["token", "delete", "web", "--yes"],
    ])
  func inFull(_ words: [String]) async throws {
    let service = try Self.listing()
    let user = try User(url: service.url)
    let result = try await user.run(User.program, words)
    #expect(result.status == 3 && result.errors.contains("There is no "), "\(result.all)")
    #expect(service.requests.allSatisfy { $0.method == "GET" })
  }

  @Test("The beginning of a name is enough to look")
  func beginning() async throws {
    let user = try User(url: try Self.listing().url)
    #expect(try await user.run("snapshot", "show", "web", "-o", "name").output == "web-production\n")
  }

  @Test("A file of apply says names in full")
  func applyInFull() async throws {
    let service = try Self.listing()
    let user = try User(url: service.url)
    let file = try user.write("servers: [{name: new, plan: s, os: web, location: c}]\n", to: "servers.yaml")
    let result = try await user.run("apply", "-f", file)
    #expect(result.status == 4 && result.errors.contains("servers.0.os: There is no"), "\(result.all)")
    #expect(service.requests.allSatisfy { $0.method == "GET" })
  }

  @Test(
    "A firewall in a file that is misspelled or empty is refused, with its place, before anything is asked",
    arguments: [
      "firewall:", "firewall: true", "firewall: {}", "firewall: {enable: true}", "firewall: {enabled: }",
      "firewall: {enabled: \"true\"}", "firewall: {enabled: true, rule: []}", "firewall: {enabled: true, rules: }",
      "firewall: {enabled: true, rules: [{direction: in, protocol: tcp, port: 22, source_ip: [192.0.2.0/24]}]}",
      "firewall: {enabled: true, rules: [{direction: in, protocol: tcp, port: 22, source_ips: }]}",
      "firewall: {enabled: true, rules: [{direction: in, protocol: tcp, port: }]}",
    ])
  func firewall(_ line: String) async throws {
    let service = try Self.listing()
    let user = try User(url: service.url)
    let file = try user.write(
      "servers:\n  - name: web-production\n    plan: s\n    os: s\n    location: c\n    \(line)\n", to: "servers.yaml")
    let result = try await user.run("apply", "-f", file)
    #expect(result.status == 4 && result.errors.hasPrefix("Error: servers.0.firewall"), "\(result.all)")
    #expect(service.requests.isEmpty)
  }

  @Test("A file on standard input that is too long is refused, and not taken in part")
  func longInput() async throws {
    let service = try Self.listing()
    let file = "servers: []\n" + String(repeating: "# \(String(repeating: "x", count: 97))\n", count: 11_000)
    let result = try await User(url: service.url).run("apply", "-f", "-", "--prune", "--yes", input: file)
    #expect(result.status == 2 && result.errors.contains("too much"), "\(result.all)")
    #expect(service.requests.isEmpty)
  }

  @Test(
    "The only password of a server is shown though waiting for it ends badly",
    arguments: ["create", "rebuild"], ["table", "json", "name"])
  func password(_ verb: String, _ output: String) async throws {
    let server = #"{"id": 7, "name": "web", "status": "provisioning", "#
    let service = try ScriptedServer { request in
      if request.method == "POST" {
        return .json(201, server + #""password": "once-only", "server": {"id": 7, "name": "web"}}"#)
      }
      return request.path.contains("/servers/7/")
        ? .json(200, server + #""uuid": "0f8fad5b-d9cb-469f-a165-70867728950e"}"#)
        : .json(200, #"{"count": 1, "results": [{"id": 3, "slug": "x", "code": "x", "name": "x"}]}"#)
    }
    let words =
      verb == "create"
      ? ["--name", "web", "--plan", "x", "--os", "x", "--location", "x"] : ["7", "--yes"]
    let result = try await User(url: service.url).run(
      User.program, ["server", verb] + words + ["--wait", "--timeout", "0s", "-o", output])
    #expect(result.status != 0 && result.all.contains("once-only"), "\(result.all)")
    #expect(output == "table" || result.output.isEmpty)
  }

  @Test("What cannot be written was not done")
  func fullDisk() async throws {
    let user = try User(url: try Self.listing().url)
    let full = try await user.run("/bin/sh", ["-c", "vpsctl server list >/dev/full"])
    #expect(full.status == 1 && full.errors.contains("The output cannot be written"), "\(full.all)")
    // No file may have a byte, and the signal for that is ignored.
    let script =
      "trap '' 25; ulimit -f 0; vpsctl context create a --url http://127.0.0.1:1 --token-stdin >/dev/null 2>&1"
    #expect(try await user.run("/bin/sh", ["-c", script], input: "vps_a\n").status == 1)
    let left = try FileManager.default.contentsOfDirectory(atPath: user.path + "/config/vpsctl/contexts")
    #expect(left.isEmpty, "\(left)")
  }
}
