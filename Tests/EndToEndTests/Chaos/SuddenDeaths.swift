import APIClient
import Foundation

/// Faults of processes: each ends one, or all, without a warning, and returns how long it took until all was well again.
struct SuddenDeaths {
  let service: Service
  let login: Login
  let keyID: Int

  init(_ service: Service) async throws {
    self.service = service
    login = try Login(in: service.directory)
    keyID = try await service.client().createSSHKey(.init(name: "chaos", publicKey: login.publicKey)).id
  }

  func create(_ name: String) async throws -> APIClient.Server {
    try await service.client().createServer(
      .init(name: name, planId: 3, osId: 3, location: "us-west", sshKeyId: keyID))
  }

  func activeServer(_ name: String) async throws -> APIClient.Server {
    let server = try await create(name)
    _ = try await active(server.id, service.client())
    return server
  }

  /// The moments of a create, and of a delete, that can be told from outside.
  enum Moment: String, CaseIterable {
    case accepted, halfDone, nearlyDone
  }

  // MARK: - vpsd

  func serviceDiesInCreate(at moment: Moment) async throws -> (server: APIClient.Server, recovery: Duration) {
    let server = try await create("create-\(moment.rawValue.lowercased())")
    switch moment {
    case .accepted: break
    case .halfDone: try await EndToEndTests.moment("a folder") { service.folderExists(of: server) }
    case .nearlyDone: try await EndToEndTests.moment("a machine") { service.machine(of: server) != nil }
    }
    let recovery = try await time {
      try await restart()
      try await expectOneActive(server, hostname: server.hostname)
    }
    return (server, recovery)
  }

  func serviceDiesInDelete(of server: APIClient.Server, at moment: Moment) async throws -> Duration {
    try await service.client().deleteServer(server.id)
    switch moment {
    case .accepted: break
    case .halfDone: try await EndToEndTests.moment("the end of the machine") { service.machine(of: server) == nil }
    case .nearlyDone: try await EndToEndTests.moment("the end of the folder") { !service.folderExists(of: server) }
    }
    return try await time {
      try await restart()
      guard try await service.client().send("GET", "/servers/\(server.id)/").status == 404 else {
        throw Command.Failed(description: "a deleted server is seen again")
      }
      try await service.expectNoTrace(of: server)
    }
  }

  private func restart() async throws {
    try service.kill()
    try await service.start()
  }

  private func expectOneActive(_ server: APIClient.Server, hostname: String) async throws {
    let endpoint = try await active(server.id, service.client())
    try expect(try login.run("hostname", on: endpoint) == hostname, "another server answers at \(endpoint)")
    try expect(processes(containing: "/servers/\(server.uuid)/").count == 1, "it runs twice")
    try await service.expectNothingWithoutOwner()
  }

  // MARK: - libvirtd

  func libvirtdDiesInCreate() async throws -> (server: APIClient.Server, recovery: Duration) {
    let server = try await create("daemon")
    try await moment("a machine") { service.machine(of: server) != nil }
    let recovery = try await time {
      try service.killLibvirtd()
      try await expectOneActive(server, hostname: server.hostname)
    }
    return (server, recovery)
  }

  func libvirtdDiesWhileActive(_ server: APIClient.Server) async throws -> Duration {
    let machine = service.machine(of: server)
    let dead = service.libvirtd
    return try await time {
      try service.killLibvirtd()
      _ = try await eventually("another libvirtd", withinSeconds: 180) {
        service.libvirtd.flatMap { $0 == dead ? nil : $0 }
      }
      try await expectOneActive(server, hostname: server.hostname)
      try expect(service.machine(of: server) == machine, "the machine was started anew")
    }
  }

  func libvirtdDiesInStop(_ server: APIClient.Server) async throws -> Duration {
    _ = try await service.client().perform("stop", on: server.id)
    return try await time {
      try service.killLibvirtd()
      try await status("stopped", of: server.id, service.client(), withinSeconds: 180)
      try expect(service.machine(of: server) == nil, "a stopped server runs")
      try await service.expectNothingWithoutOwner()
    }
  }

  // MARK: - Machines

  func machineDies(_ server: APIClient.Server) async throws -> Duration {
    guard let machine = service.machine(of: server) else { throw Command.Failed(description: "no machine") }
    return try await time {
      Foundation.kill(machine, SIGKILL)
      try await status("starting", of: server.id, service.client(), withinSeconds: 180)
      try await expectOneActive(server, hostname: server.hostname)
    }
  }

  /// Its power is taken away at the deadline, which is a minute where there is no KVM.
  func guestIgnoresShutdown(_ server: APIClient.Server) async throws -> Duration {
    let endpoint = try await active(server.id, service.client())
    _ = try login.run(
      "systemctl mask --runtime --now systemd-logind 2>&1; systemctl stop qemu-guest-agent", on: endpoint)
    _ = try await service.client().perform("stop", on: server.id)
    return try await time {
      try await status("stopped", of: server.id, service.client(), withinSeconds: 180)
      try expect(service.machine(of: server) == nil, "a stopped server runs")
      try await service.expectNothingWithoutOwner()
    }
  }

  // MARK: - The host

  /// Everything ends at once; the next boot of the host has another identity.
  func hostRestarts(active running: APIClient.Server, stopped: APIClient.Server?) async throws -> Duration {
    let machines = [running, stopped].compactMap { $0.flatMap(service.machine(of:)) }
    let ends = ([service.libvirtd] + machines).compactMap { $0 }
    try service.kill()
    for process in ends { Foundation.kill(process, SIGKILL) }
    try "another boot\n".write(toFile: service.data + "/libvirt/host", atomically: true, encoding: .utf8)
    return try await comeBack(active: running, stopped: stopped)
  }

  func operatorRestarts(active running: APIClient.Server, stopped: APIClient.Server) async throws -> Duration {
    // Also of a guest that has just become active and does not listen for the button yet.
    let said = try service.operate(["shutdown", "--servers"])
    try expect(!said.contains("power is taken away"), said)
    try expect(service.machine(of: running) == nil, "it runs on")
    return try await comeBack(active: running, stopped: stopped)
  }

  private func comeBack(active running: APIClient.Server, stopped: APIClient.Server?) async throws -> Duration {
    try await time {
      try await service.start()
      try await status("starting", of: running.id, service.client(), withinSeconds: 180)
      try await expectOneActive(running, hostname: running.hostname)
      if let stopped {
        try expect(try await service.client().server(stopped.id).status == "stopped", "what was stopped runs")
        try expect(service.machine(of: stopped) == nil, "what was stopped runs")
      }
    }
  }

  /// The way out: it starts again, and a delete leaves nothing.
  func startsAndIsDeleted(_ server: APIClient.Server) async throws -> Duration {
    try await time {
      let client = try service.client()
      if try await client.server(server.id).status != "active" { _ = try await client.perform("start", on: server.id) }
      try await expectOneActive(server, hostname: server.hostname)
      try await client.deleteServer(server.id)
      try await service.expectNoTrace(of: server)
    }
  }
}

func expect(_ holds: Bool, _ otherwise: String) throws {
  if !holds { throw Command.Failed(description: otherwise) }
}
