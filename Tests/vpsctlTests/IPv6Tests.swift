import Foundation
import Testing

@Suite("A service that listens on IPv6 only")
struct IPv6Tests {
  @Test("Says so, and is used from the command line as any other is")
  func used() async throws {
    let service = try RunningService(listening: "[::1]:0")
    defer { withExtendedLifetime(service) {} }
    let port = try #require(service.url.wholeMatch(of: #/http://\[::1\]:([0-9]+)/#)?.output.1)
    #expect(port != "0")
    let user = try service.user()
    let order = ["server", "create", "--name", "web-1", "--plan", "nano", "--os", "Debian 12", "--location", "us-west"]
    let made = try await user.run(User.program, order + ["--wait", "-o", "name"])
    #expect(made.status == 0 && made.output == "web-1\n", "\(made.all)")
    let console = try await user.run("server", "console", "web-1")
    #expect(console.output.hasPrefix("\(service.url)/console/#ticket="), "\(console.all)")
    let page = try await user.run("/usr/bin/curl", ["-sSg", "\(service.url)/console/"])
    #expect(page.status == 0, "\(page.all)")
    // By what it has written down of itself in its data directory.
    let known = try await user.run(
      "server", "list", "-o", "name", with: ["VPSCTL_URL": "", "VPSCTL_TOKEN": "", "VPSD_DATA_DIR": service.data])
    #expect(known.output == "web-1\n", "\(known.all)")
  }
}
