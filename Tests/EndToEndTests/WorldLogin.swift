import APIClient
import Foundation
import Testing

/// A server with addresses of its own, as the API tells it.
struct RoutedServer {
  let id: Int
  let uuid: String
  let address: String
  let address6: String
  /// Nil where it has a single address.
  let network6: String?

  /// Once it is active.
  init(_ id: Int, _ client: APIClient) async throws {
    _ = try await active(id, client)
    let reply = try await client.send("GET", "/servers/\(id)/")
    let json = try #require(try JSONSerialization.jsonObject(with: Data(reply.text.utf8)) as? [String: Any])
    #expect(json["ssh_port"] as? Int == 22)
    self.id = id
    uuid = try #require(json["uuid"] as? String)
    address = try #require(json["ip_address"] as? String)
    address6 = try #require(json["ipv6_address"] as? String)
    network6 = json["ipv6_network"] as? String
  }
}

/// What Tests/Hosts/network has made around this process.
let world = ProcessInfo.processInfo.environment["VPSD_TEST_WORLD"] ?? ""

extension Login {
  func run(_ command: String, onWorld address: String, limitSeconds: Int = 60) throws -> String {
    let words = self.command(command, onWorld: address, limitSeconds: limitSeconds)
    return try Command.output(words[0], Array(words.dropFirst()))
  }

  /// - Parameter input: The path of a file.
  func run(_ command: String, onWorld address: String, input: String) throws -> String {
    try Command.output("/bin/sh", ["-c", "exec \"$@\" <'\(input)'", "-"] + self.command(command, onWorld: address))
  }

  /// - Parameter limitSeconds: Until its sshd has greeted.
  func command(_ command: String, onWorld address: String, limitSeconds: Int = 60) -> [String] {
    // Of an option that is said twice ssh takes the first.
    let own = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=\(limitSeconds)"]
    return ["/usr/bin/nsenter", "--net=\(world)", "/usr/bin/ssh", "-i", privateKey] + own + Self.options
      + ["root@\(address)", command]
  }

  /// - Parameter limit: Enough for one that is not let in; one that is may take longer on a busy machine.
  func isLetIn(_ address: String, withinSeconds limit: Int = 10) throws -> Bool {
    (try? run("true", onWorld: address, limitSeconds: limit)) != nil
  }
}
