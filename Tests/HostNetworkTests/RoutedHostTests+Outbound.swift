import Core
import Foundation
import HostPrograms
import Logging
import Testing

@testable import HostNetwork

extension RoutedHostTests {
  @Test(
    "A port that a program of the host took while the way out was gone is told, and leads to the server again once it is free"
  )
  func lostPort() throws {
    let folder = "/tmp/vpsd-outbound-\(UUID().uuidString.prefix(8).lowercased())"
    let namespace = OutboundNamespace(
      directory: folder, mayMail: false, logger: Logger(label: "network") { _ in SwiftLogNoOpLogHandler() })
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try namespace.ensure(heldBy: [])
    let (server, other) = (IPv4Address("127.80.0.1")!, IPv4Address("127.80.0.2")!)
    let guests = try [server, other].map { address in
      let program = try RunningProgram(
        "nsenter",
        [
          "--net=\(namespace.path)", "python3", "\(TestFiles.hosts)/traffic", "serve",
          "\(OutboundNamespace.inside(address))", "22",
        ])
      try #require(program.line() == "ready")
      return program
    }
    do {
      try namespace.reconcile()
      #expect(namespace.lostPorts(at: server).isEmpty)
      #expect(try host.answer("tcp", "\(server)", 22) == "answered", "by the server")

      let uplinks = try HostProcess.all().filter { $0.mentions("\(folder)/slirp.socket") }
      #expect(!uplinks.isEmpty)
      for process in uplinks { kill(process.id, SIGKILL) }
      while uplinks.contains(where: { !(HostProcess($0.id)?.program ?? "").isEmpty }) { poll(nil, 0, 10) }
      let program = try HostProgramListening(at: "\(server)", 22)
      try namespace.reconcile()
      #expect(namespace.lostPorts(at: server) == [22] && namespace.lostPorts(at: other).isEmpty)
      #expect(try host.answer("tcp", "\(other)", 22) == "answered")

      program.end()
      try namespace.reconcile()
      #expect(namespace.lostPorts(at: server).isEmpty)
      #expect(try host.answer("tcp", "\(server)", 22) == "answered", "by the server again")
    } catch {
      Issue.record(error)
    }
    for guest in guests { guest.end() }
    try namespace.removeIfUnused()
    #expect(!namespace.exists)
  }
}
