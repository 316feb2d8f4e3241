import Core
import Foundation
import HostPrograms
import PrivateFiles
import TestSupport
import Testing

@testable import LibvirtDriver

extension MachineLifeTests {
  @Test("A folder without a machine is a remnant, which a delete removes")
  func remnant() async throws {
    try await PrivateHost.with { host in
      let machine = UUID()
      try MachineFiles.makeDirectory(host.driver.files(of: machine).folder)
      expectEqual(try await host.driver.observe(), MachineObservation(powers: [machine: .remnant]))
      expectEqual(try await host.driver.power(of: machine), .remnant)
      try await host.driver.ensureAbsent(machine)
      #expect(try await host.driver.observe().powers.isEmpty)
    }
  }

  @Test("A disk that is missing is never replaced by an empty one")
  func missingDisk() async throws {
    try await PrivateHost.with { host in
      let specification = try await host.specification()
      let lost = try await host.specification(specification.machine, mayCreateDisk: false)
      let expected = "The server's disk is missing."
      await #expect {
        try await host.driver.ensureDefined(lost)
      } throws: { error in
        (error as? DriverError)?.kind == .notFound && (error as? DriverError)?.customerReason == expected
      }
      try await host.driver.ensureDefined(specification)
      try MachineFiles.remove(host.driver.files(of: specification.machine).disk)
      await #expect {
        try await host.driver.start(specification.machine)
      } throws: { error in
        (error as? DriverError)?.kind == .notFound && (error as? DriverError)?.customerReason == expected
      }
      #expect(!MachineFiles.exists(host.driver.files(of: specification.machine).disk))
    }
  }

  @Test("A disk that was overwritten makes a start fail with a reason for the customer")
  func brokenDisk() async throws {
    try await PrivateHost.with { host in
      let specification = try await host.specification()
      try await host.driver.ensureDefined(specification)
      let disk = host.driver.files(of: specification.machine).disk
      try PrivateFile.write([UInt8](repeating: 7, count: 1 << 16), to: disk)
      await #expect {
        try await host.driver.start(specification.machine)
      } throws: { error in
        (error as? DriverError)?.kind == .rejected
          && (error as? DriverError)?.customerReason == "The server's disk cannot be read."
      }
      expectEqual(try await host.driver.power(of: specification.machine), .off(.other))
    }
  }

  @Test("A machine that was started from a definition without a screen says what helps")
  func noScreen() async throws {
    try await PrivateHost.with { host in
      let specification = try await host.specification()
      let machine = specification.machine
      try await host.driver.ensureDefined(specification)
      let blind = try host.driver.definition(of: specification).xml
        .replacing(/<(graphics|video)\b[\s\S]*?<\/\1>/, with: "")
      _ = try await host.driver.onLibvirt("define it without") { try $0.define(blind) }
      try await host.driver.start(machine)
      await #expect {
        _ = try await host.driver.openConsole(of: machine)
      } throws: { error in
        (error as? DriverError)?.kind == .rejected
          && (error as? DriverError)?.customerReason?.contains("started without a screen") == true
      }
      try await host.driver.ensureDefined(specification)
      try await host.driver.powerOff(machine)
      try await host.driver.start(machine)
      _ = try await host.driver.openConsole(of: machine)
    }
  }

  @Test("An address with a listener is not free, and a machine does not start on it")
  func addressInUse() async throws {
    try await PrivateHost.with { host in
      let specification = try await host.specification()
      #expect(try await host.driver.isAddressFree(.ipv4(specification.interface.address), for: specification.machine))
      let port = try #require(host.driver.forwardedPorts.rules.last).host
      let listener = try Listener(address: specification.interface.address, port: port)
      #expect(try await !host.driver.isAddressFree(.ipv4(specification.interface.address), for: specification.machine))
      try await host.driver.ensureDefined(specification)
      await #expect {
        try await host.driver.start(specification.machine)
      } throws: {
        ($0 as? DriverError)?.kind == .exhausted
      }
      listener.close()
      #expect(try await host.driver.isAddressFree(.ipv4(specification.interface.address), for: specification.machine))
    }
  }

  @Test(
    "A port that a program takes on all addresses is left to it, and a machine that is defined starts on another one")
  func portTakenEverywhere() async throws {
    try await PrivateHost.with { host in
      let specification = try await host.specification()
      let machine = specification.machine
      try await host.driver.ensureDefined(specification)
      let before = host.driver.forwardedPorts.ssh
      let listener = try Listener(address: IPv4Address(number: 0), port: before)
      try await host.driver.start(machine)
      let now = host.driver.forwardedPorts.ssh
      #expect(now != before)
      expectEqual(try await host.driver.power(of: machine), .running)
      #expect(!ForwardedPorts.canBind(specification.interface.address, port: now))
      // No other address would be better.
      #expect(try await host.driver.isAddressFree(.ipv4(PrivateHost.unusedAddress()), for: UUID()))
      _ = try await host.driver.observe()
      #expect(host.driver.sshPort(of: machine) == Int(now))
      listener.close()
      // The next process keeps it.
      #expect(try PrivateHost.makeDriver(host.dataDirectory).forwardedPorts.ssh == now)

      // One that has forgotten the choice tells all the same where a machine is that runs.
      try MachineFiles.remove("\(host.dataDirectory)/forwarded-ports")
      let other = try PrivateHost.makeDriver(host.dataDirectory)
      #expect(other.forwardedPorts.ssh == before)
      #expect(other.sshPort(of: machine) == Int(now), "before its hypervisor has answered")
      _ = try await other.observe()
      #expect(other.sshPort(of: machine) == Int(now))
      #expect(other.sshPort(of: UUID()) == Int(before))
      other.close()
      // And this one keeps it.
      try await host.driver.powerOff(machine)
      try await host.driver.ensureDefined(specification)
      try await host.driver.start(machine)
      #expect(!ForwardedPorts.canBind(specification.interface.address, port: now))
    }
  }

  @Test("A machine of another installation is neither seen nor touched")
  func foreignMachine() async throws {
    try await PrivateHost.with { host in
      let specification = try await host.specification()
      try await host.driver.ensureDefined(specification)
      let other = try PrivateHost.makeDriver(host.dataDirectory, installation: UUID())
      expectEqual(try await other.observe().powers[specification.machine], .remnant)
      await #expect {
        try await other.ensureAbsent(specification.machine)
      } throws: {
        ($0 as? DriverError)?.kind == .rejected
      }
      other.close()
      expectEqual(try await host.driver.observe().powers[specification.machine], .off(.other))
      #expect(MachineFiles.exists(host.driver.files(of: specification.machine).disk))
    }
  }

  @Test(
    "A QEMU that a killed libvirtd was asking is ended by the next start, and nobody who has the number of an older one",
    .enabled(if: PrivateHost.daemon == .own, "the host's own libvirtd is the host's to mend"))
  func forgottenProbe() async throws {
    try await PrivateHost.with { host in
      let daemon = host.driver.hypervisor.daemon
      let threads = BlockingThreads(name: "daemon", width: 2)
      try await threads.run("start it", within: .seconds(60)) { try daemon.ensureRunning() }
      let asking = Task {
        try await threads.run("ask it", within: .seconds(60)) { _ = try Connection(uri: daemon.uri).capabilities() }
      }
      try await eventually("libvirtd asks QEMU", within: .seconds(60), every: .milliseconds(2)) {
        guard host.probe != nil, let libvirtd = host.daemonProcess, kill(libvirtd, SIGSTOP) == 0 else { return false }
        try await eventually("libvirtd is stopped", within: .seconds(60), every: .milliseconds(2)) {
          PrivateHost.isStopped(libvirtd)
        }
        // One whose last answer libvirtd has had is ended by it, and never stopped.
        if let asked = host.probe, kill(asked, SIGSTOP) == 0 {
          while host.probe == asked, !PrivateHost.isStopped(asked) { poll(nil, 0, 2) }
        }
        if host.probe.map(PrivateHost.isStopped) == true { return true }
        kill(libvirtd, SIGCONT)
        return false
      }
      let probe = try #require(host.probe)
      defer { if host.probe == probe { kill(probe, SIGKILL) } }
      daemon.kill()
      await #expect(throws: LibvirtError.self) { try await asking.value }
      #expect(host.probe == probe)

      let bystander = Process()
      bystander.executableURL = URL(fileURLWithPath: try #require(HostProgram.path(of: "sleep")))
      bystander.arguments = ["600"]
      try bystander.run()
      // It has the signals blocked that the thread of a task has: it would not end for less.
      defer { kill(bystander.processIdentifier, SIGKILL) }
      try MachineFiles.makeDirectory("\(host.dataDirectory)/libvirt/lib/qemu/qmp-older")
      try PrivateFile.write(
        Array("\(bystander.processIdentifier)\n".utf8), to: "\(host.dataDirectory)/libvirt/lib/qemu/qmp-older/qmp.pid")

      // What it has forked and is no other program yet has its socket, and is all that is left of it.
      let socket = try #require((daemon as? PrivateLibvirtd)?.socketPath)
      try MachineFiles.remove(socket)
      let leftover = try listen(at: socket)
      defer { close(leftover) }

      try await threads.run("start it again", within: .seconds(60)) { try daemon.ensureRunning() }
      #expect(host.daemonProcess != nil)
      try await eventually("its QEMU is gone", within: .seconds(60)) { host.probe == nil }
      #expect(HostProcess(bystander.processIdentifier)?.program.hasSuffix("/sleep") == true)
    }
  }

  @Test("Another process on the same data directory uses the libvirtd that runs")
  func sharedDaemon() async throws {
    try await PrivateHost.with { host in
      #expect(try await host.driver.observe().powers.isEmpty)
      let process = try #require(host.daemonProcess)
      let other = try PrivateHost.makeDriver(host.dataDirectory)
      #expect(try await other.observe().powers.isEmpty)
      other.close()
      #expect(host.daemonProcess == process)
      let capacity = try #require(try await host.driver.capacity())
      #expect(capacity.vcpus > 0 && capacity.memoryMiB > 0 && capacity.storageGiB > 0)
    }
  }
}
