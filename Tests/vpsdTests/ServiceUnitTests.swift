import Foundation
import Testing

@Suite("The unit of the package")
struct ServiceUnitTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// All that the lines name that begin so.
  private func units(after path: String) throws -> Set<Substring> {
    let text = try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
    let lines = text.split(separator: "\n").map { $0.drop { $0 == " " } }.filter { $0.hasPrefix("After=") }
    return Set(lines.flatMap { $0.dropFirst("After=".count).split(separator: " ") })
  }

  @Test("Starts after whatever may listen on every address, so that no server has its port when the host boots")
  func portHolders() throws {
    let unit = try units(after: "packaging/deb/vpsd.service")
    let holders: Set<Substring> = [
      "ssh.service", "ssh.socket", "nginx.service", "apache2.service", "caddy.service", "haproxy.service",
      "lighttpd.service", "traefik.service", "varnish.service", "docker.service",
    ]
    #expect(holders.subtracting(unit).isEmpty)
    // Whoever writes a unit of their own is told the same.
    let told = try units(after: "docs/operating.md")
    #expect(told == unit.subtracting(["network-online.target", "libvirtd.service"]))
  }
}
