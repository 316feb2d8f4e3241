import Core
import Foundation
import TestSupport
import Testing

@testable import HostNetwork

@Suite("Ports that programs of the host listen to")
struct ListeningPortsTests {
  private static let heading =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

  private func ports(_ lines: [String], _ lines6: [String] = []) throws -> Set<Int> {
    let folder = try ScopedFolder()
    let files = try [lines, lines6].enumerated().map { number, lines in
      let file = folder.url.appendingPathComponent("\(number)")
      let rows = lines.enumerated().map {
        "  \($0.offset): \($0.element) 00000000:00000000 00:00000000 00000000 0 0 5 1\n"
      }
      try (Self.heading + rows.joined()).write(to: file, atomically: true, encoding: .utf8)
      return file.path
    }
    return ListeningPorts.current(at: IPv4Address("198.51.100.2")!, in: 20_000...20_999, files: files)
  }

  @Test("Are those at the address, or at every address, and none at others, beyond the range, or of connections")
  func found() throws {
    let none = "00000000:0000 0A"
    #expect(
      try ports([
        "026433C6:4E20 \(none)", "00000000:4E21 \(none)", "0100007F:4E22 \(none)", "036433C6:4E23 \(none)",
        "00000000:0016 \(none)", "026433C6:4E24 0A00020A:C001 01",
      ]) == [20_000, 20_001])
    let zeros = String(repeating: "0", count: 32)
    #expect(
      try ports(
        [],
        [
          "\(zeros):4E20 \(zeros):0000 0A", "0000000000000000FFFF0000026433C6:4E21 \(zeros):0000 0A",
          "0000000000000000FFFF00000100007F:4E22 \(zeros):0000 0A",
          "B80D0120000000000000000001000000:4E23 \(zeros):0000 0A",
        ]) == [20_000, 20_001])
  }

  @Test("Of this very host are found")
  func real() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, size) == 0 && listen(listener, 1) == 0 && getsockname(listener, $0, &size) == 0
      }
    }
    try #require(isListening)
    let port = Int(UInt16(bigEndian: address.sin_port))
    #expect(ListeningPorts.current(at: IPv4Address("127.0.0.1")!, in: 1...65_535).contains(port))
    #expect(!ListeningPorts.current(at: IPv4Address("127.80.0.1")!, in: port...port).contains(port))

    // It is nobody's to lose where no port led to a server before, and a server's where one did.
    var settings = HostNetworkSettings(uplink: "lo", mtu: 1500, pools: [], ipv6Pools: [], nameServers: [])
    let (here, server) = (IPv4Address("127.0.0.1")!, IPv4Address("10.77.0.1")!)
    settings.forwarding = PortForwarding(
      address: here, range: port...port, guestPorts: [22], servers: [server...server])
    let cases: [(IPv4Address?, Set<Int>)] = [(IPv4Address("127.80.0.1"), [port]), (nil, [port]), (here, [])]
    for (before, taken) in cases {
      var forwarding = HostForwarding()
      forwarding.look(at: settings) { HostForwarding.InForce(address: before, ports: [port]) }
      #expect(forwarding.taken == taken, "\(before?.description ?? "none")")
    }
  }
}
