import Foundation
import Testing

/// A customer of the service at a shell, with vpsctl, a home of their own, and an agent that has their key.
struct CommandLineCustomer {
  private let home: String
  private let environment: [String: String]
  private let key: String

  private static let programs = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent(".build/debug").path

  init(of service: Service, _ login: Login) throws {
    home = service.directory.appendingPathComponent("customer").path
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    key = login.privateKey
    environment = try service.customer().merging([
      "HOME": home, "XDG_STATE_HOME": home + "/state", "XDG_CONFIG_HOME": home + "/config",
      "PATH": Self.programs + ":/usr/bin:/bin",
    ]) { $1 }
  }

  /// What a command of a shell prints that ends as it should.
  func run(_ command: String, status: Int32 = 0) throws -> String {
    // Words of ssh about keys that it sees for the first time are of interest only where it goes wrong.
    let within =
      "ssh-add -q \"$0\" 2>/dev/null && { eval \"$COMMAND\"; } 2>errors; status=$?; [ $status = 0 ] || cat errors; exit $status"
    let line = "cd '\(home)' && exec ssh-agent sh -c '\(within)' '\(key)'"
    let ended = try Command.run(
      "/bin/sh", ["-c", line], environment: environment.merging(["COMMAND": command]) { $1 }, limitSeconds: 360)
    guard ended.status == status else {
      throw Command.Failed(description: "\(command): \(ended.status)\n\(ended.output)")
    }
    return ended.output
  }
}
