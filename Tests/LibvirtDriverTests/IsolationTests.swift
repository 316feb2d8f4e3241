import Core
import Foundation
import Logging
import PrivateFiles
import TestSupport
import Testing

@testable import LibvirtDriver

extension MachineLifeTests {
  @Test("A machine runs in QEMU's sandbox, and nobody else can read its files")
  func isolation() async throws {
    try await PrivateHost.with { host in
      let specification = try await host.specification()
      try await host.driver.ensureDefined(specification)
      try await host.driver.start(specification.machine)
      let emulator = try #require(PrivateHost.emulator(of: specification.machine))
      let status = try String(contentsOfFile: "/proc/\(emulator)/status", encoding: .utf8)
      // A filter of system calls that no thread of it can take off again.
      #expect(status.contains("Seccomp:\t2"), "\(status)")
      #expect(status.contains("NoNewPrivs:\t1"), "\(status)")
      let owner = host.driver.emulatorUser.owner(at: specification.interface.address)
      #expect(try FileOwner(of: "/proc/\(emulator)/status") == owner)
      #expect(status.contains("CapEff:\t0000000000000000") || owner == .root, "\(status)")
      let folder = host.driver.files(of: specification.machine).folder
      for folder in [folder, ServerFiles.root(host.dataDirectory), host.dataDirectory] {
        // Its QEMU may pass, and neither see what there is nor change it.
        #expect(try mode(folder) == (owner == .root ? 0o700 : 0o710), "\(folder)")
        #expect(try FileOwner(of: folder) == FileOwner(user: 0, group: owner.group))
      }
      let files = try FileManager.default.contentsOfDirectory(atPath: folder)
      let ownFiles: Set = ["disk.qcow2", "seed.tar", "console.log"]
      #expect(Set(files) == ownFiles.union(["cpu.json", "disk.json", "machine-type"]))
      for file in files {
        #expect(try mode("\(folder)/\(file)") == 0o600, "\(file)")
        #expect(try FileOwner(of: "\(folder)/\(file)") == (ownFiles.contains(file) ? owner : .root), "\(file)")
      }
      expectEqual(try await host.driver.processes(), [specification.machine: emulator])
    }
  }

  @Test("No server's QEMU is another's, and all are nobody else's")
  func users() {
    let user = EmulatorUser.oneForEachServer(group: 108)
    let owners = (1...1000).map { user.owner(at: IPv4Address(number: 0x7F50_0000 + $0)) }
    #expect(Set(owners.map(\.user)).count == owners.count)
    #expect(owners.allSatisfy { $0.user >= 0x7000_0000 && $0.user <= Int32.max && $0.group == 108 })
    #expect(EmulatorUser.root.owner(at: IPv4Address(number: 0x7F50_0001)) == .root)
  }

  @Test("A server keeps its user when its first address becomes another's, which then has another one")
  func keptUser() throws {
    let (user, folder) = (EmulatorUser.oneForEachServer(group: 108), NSTemporaryDirectory() + UUID().uuidString)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (old, new) = (UUID(), UUID())
    func owner(of machine: UUID, at number: UInt32) throws -> UInt32 {
      try user.owner(of: machine, at: IPv4Address(number: number), dataDirectory: folder).user
    }
    #expect(try owner(of: old, at: 0xCB00_7105) == 0x7000_7105)
    let files = ServerFiles(dataDirectory: folder, machine: old)
    try MachineFiles.makeDirectory(files.folder)
    try files.makeConsole()
    // Of root, whom all servers had before.
    #expect(try owner(of: old, at: 0xCB00_7105) == 0x7000_7105)
    try FileOwner(user: 0x7000_7105, group: 108).take(files.console)
    #expect(try owner(of: old, at: 0xCB00_7106) == 0x7000_7105)
    let heir = try owner(of: new, at: 0xCB00_7105)
    #expect(heir & 0xFF00_0000 == 0x7100_0000)
    #expect(try owner(of: new, at: 0xCB00_7106) == 0x7000_7106)
    #expect(try EmulatorUser.root.owner(of: new, at: IPv4Address(number: 1), dataDirectory: folder) == .root)
  }

  @Test("Two new servers whose addresses differ only in the first byte have users of their own")
  func claimedUsers() throws {
    let (user, folder) = (EmulatorUser.oneForEachServer(group: 108), NSTemporaryDirectory() + UUID().uuidString)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var owners: [UInt32] = []
    for number in [0x0A10_0005, 0xAC10_0005] as [UInt32] {
      let machine = UUID()
      try MachineFiles.makeDirectory(ServerFiles(dataDirectory: folder, machine: machine).folder)
      let address = IPv4Address(number: number)
      for _ in 1...2 { try user.claim(for: machine, at: address, dataDirectory: folder) }
      owners.append(try user.owner(of: machine, at: address, dataDirectory: folder).user)
    }
    #expect(owners[0] == 0x7010_0005 && owners[1] & 0xFF00_0000 == 0x7100_0000)
  }

  @Test("QEMU is root only where our own libvirtd has no other choice, and what is in the way is told")
  func rootOnlyWhereNeeded() throws {
    var host = UserSupport()
    host.lowestPort = 0
    var configuration = LibvirtDriver.Configuration(
      dataDirectory: "/srv/vpsd", imageDirectory: "/srv/vpsd/images", installation: UUID())
    #expect(host.obstacle(for: configuration, accelerator: .tcg) == nil)
    #expect(host.obstacle(for: configuration, accelerator: .kvm) == "others may not use /dev/kvm")
    host.kvmGroup = 108
    #expect(host.obstacle(for: configuration, accelerator: .kvm) == nil)
    #expect(host.group(for: .kvm) == 108)

    host.lowestPort = 23
    #expect(host.obstacle(for: configuration, accelerator: .tcg)?.contains("below port 23") == true)
    #expect(try chosen(for: configuration, on: host) == .root)
    // The host's libvirtd gives servers other ports instead.
    configuration.daemon = .host
    #expect(host.obstacle(for: configuration, accelerator: .tcg) == nil)

    host.userMap = "0 100000 65536"
    let error = #expect(throws: NoUserForQEMU.self) { try chosen(for: configuration, on: host) }
    #expect(error?.description.contains("there are no other users in this container") == true)
  }

  @Test("A folder on the way that is closed is named")
  func closedFolder() throws {
    let top = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    let closed = "\(top)/closed"
    try FileManager.default.createDirectory(atPath: "\(closed)/data", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: top) }
    var host = UserSupport()
    host.lowestPort = 0
    let configuration = LibvirtDriver.Configuration(
      dataDirectory: "\(closed)/data", imageDirectory: "\(closed)/data/images", installation: UUID())
    #expect(host.obstacle(for: configuration, accelerator: .tcg) == nil)
    // The data directory is ours to open, what is above it is not.
    #expect(chmod("\(closed)/data", 0o700) == 0)
    #expect(host.obstacle(for: configuration, accelerator: .tcg) == nil)
    var linked = configuration
    linked.dataDirectory = "\(top)/link"
    try FileManager.default.createSymbolicLink(atPath: linked.dataDirectory, withDestinationPath: "\(closed)/data")
    #expect(host.obstacle(for: linked, accelerator: .tcg) == nil)
    #expect(chmod(closed, 0o750) == 0)
    #expect(host.obstacle(for: linked, accelerator: .tcg) == "others may not enter \(closed)")
    #expect(host.obstacle(for: configuration, accelerator: .tcg) == "others may not enter \(closed)")
  }

  private func chosen(
    for configuration: LibvirtDriver.Configuration, on host: UserSupport
  ) throws -> EmulatorUser {
    try .chosen(for: configuration, on: host, accelerator: .tcg, logger: Logger(label: "test"))
  }

  private func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }
}
