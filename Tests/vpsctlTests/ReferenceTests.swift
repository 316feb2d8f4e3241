import Foundation
import Testing

@Suite("The reference and the man pages are what the commands say of themselves")
struct ReferenceTests {
  private static let root = User.programs.deletingLastPathComponent().deletingLastPathComponent()

  @Test("docs/vpsctl.md and docs/man are as scripts/vpsctl-reference makes them")
  func reference() async throws {
    let user = try User()
    let text = try await user.run("reference")
    #expect(text.status == 0)
    #expect(
      try String(contentsOf: Self.root.appendingPathComponent("docs/vpsctl.md"), encoding: .utf8) == text.output,
      "run scripts/vpsctl-reference")
    #expect(try await user.run("reference", "--man", user.path + "/man").status == 0)
    let files = FileManager.default
    let folder = Self.root.appendingPathComponent("docs/man")
    let names = try files.contentsOfDirectory(atPath: user.path + "/man").sorted()
    #expect(try files.contentsOfDirectory(atPath: folder.path).sorted() == names && names.contains("vpsctl-server.1"))
    for name in names {
      #expect(
        try Data(contentsOf: folder.appendingPathComponent(name))
          == Data(contentsOf: URL(fileURLWithPath: "\(user.path)/man/\(name)")), "\(name): run scripts/vpsctl-reference"
      )
    }
  }

  @Test("Every command has a help, and says its name in it")
  func help() async throws {
    let user = try User()
    let reference = try await user.run("reference").output
    let commands = reference.matches(of: #/(?m)^#+ `vpsctl ([a-z -]+)`$/#).map {
      $0.output.1.split(separator: " ").map(String.init)
    }
    #expect(commands.count > 50)
    for command in commands where command.count == 2 {
      let help = try await user.run(User.program, command + ["--help"])
      #expect(
        help.status == 0 && help.output.contains("USAGE: vpsctl \(command.joined(separator: " "))"), "\(help.all)")
    }
  }
}
