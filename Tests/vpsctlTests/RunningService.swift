import Foundation
import TestSupport
import Testing

/// The service that was built, on simulated machines.
final class RunningService: Sendable {
  private let folder: ScopedFolder
  private let process: Process
  let url: String
  let token: String
  let banner: String

  var data: String { folder.url.path + "/data" }

  /// - Parameters:
  ///   - namesAddresses: At a DNS server that never answers, so that names wait.
  ///   - hasTwoHosts: Whether each location has a host of its own.
  init(listening address: String = "127.0.0.1:0", namesAddresses: Bool = false, hasTwoHosts: Bool = false) throws {
    folder = try ScopedFolder()
    process = Process()
    process.executableURL = User.programs.appendingPathComponent("vpsd")
    process.arguments = ["serve"]
    if hasTwoHosts {
      let file = folder.url.path + "/vpsd.yaml"
      let text = "locations: {us-west: {driver: simulated}, us-east: {driver: simulated}}\n"
      try Data(text.utf8).write(to: URL(fileURLWithPath: file))
      process.arguments = ["serve", "--config", file]
    }
    process.environment = [
      "PATH": "/usr/bin:/bin", "VPSD_DATA_DIR": folder.url.path + "/data", "VPSD_DRIVER": "simulated",
      "VPSD_LISTEN": address,
    ]
    if namesAddresses {
      let key = folder.url.path + "/key"
      try Data("key vpsd { algorithm hmac-sha256; secret \"c2VjcmV0\"; };\n".utf8).write(to: URL(fileURLWithPath: key))
      chmod(key, 0o600)
      let more = [
        "VPSD_RDNS_SERVER": "127.0.0.1:1", "VPSD_RDNS_KEY_FILE": key, "VPSD_RDNS_PATTERN": "<address>.vps.example.com",
        "VPSD_ADDRESS_POOL6": "2001:db8:10::/56",
      ]
      process.environment?.merge(more) { $1 }
    }
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    var said = Data()
    while !String(decoding: said, as: UTF8.self).contains("vpsctl server ssh") {
      let more = output.fileHandleForReading.availableData
      guard !more.isEmpty else { break }
      said += more
    }
    banner = String(decoding: said, as: UTF8.self)
    url = String(try #require(banner.firstMatch(of: #/http://[0-9.:\[\]]+/#)).output)
    token = try String(contentsOfFile: folder.url.path + "/data/token", encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  deinit { stop() }

  /// As an operator stops it. Its data stays.
  func stop() {
    if process.isRunning { process.terminate() }
    process.waitUntilExit()
  }

  func user() throws -> User { try User(url: url, token: token) }

  /// What the API itself says, by another client.
  func get(_ path: String, _ user: User) async throws -> Any {
    let reply = try await user.run(
      "/usr/bin/curl", ["-sS", "\(url)/api/v1\(path)", "-H", "Authorization: Bearer \(token)"])
    return try JSONSerialization.jsonObject(with: Data(reply.output.utf8))
  }
}

/// Whether two values of JSON are the same.
func same(_ one: Any?, _ other: Any?) -> Bool {
  func plain(_ value: Any?) -> Data? {
    value.flatMap { try? JSONSerialization.data(withJSONObject: $0, options: [.sortedKeys, .fragmentsAllowed]) }
  }
  return plain(one) == plain(other)
}
