import Core
import Foundation
import TestSupport
import Testing

@testable import LibvirtDriver

/// On folders that look like a host's: what the kernel makes of them is `NeighbourTests`' business.
@Suite("Processors are shared by weight in control groups of either version")
struct ControlGroupTests {
  private static let machine = UUID()

  private let scope: ScopedFolder

  init() throws {
    scope = try ScopedFolder()
  }

  private func write(_ text: String, _ path: String, in folder: URL) throws {
    let file = folder.appendingPathComponent(path)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  private func read(_ path: String, in folder: URL) throws -> String {
    try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8)
  }

  @Test("The first version has a tree for processors alone")
  func first() throws {
    let (folder, installation) = (scope.url, UUID())
    #expect(ControlGroups(of: installation, mount: folder.path) == nil)
    let group = "cpu/vpsd/\(installation.text)/\(Self.machine.text)"
    for file in ["cpu/cpu.shares", "\(group)/cpu.shares", "\(group)/cgroup.procs"] { try write("", file, in: folder) }
    let groups = try #require(ControlGroups(of: installation, mount: folder.path))
    try groups.hold(77, of: Self.machine, to: 250)
    #expect(try read("\(group)/cpu.shares", in: folder) == "2560")
    #expect(try read("\(group)/cgroup.procs", in: folder) == "77")
    // Less than the kernel takes is as little as it takes.
    try write("", "\(group)/cpu.shares", in: folder)
    try groups.hold(77, of: Self.machine, to: 0)
    #expect(try read("\(group)/cpu.shares", in: folder) == "2")
  }

  @Test("What libvirt is told is what the version that the host has counts in")
  func shares() throws {
    let mount = scope.url.path
    #expect(ControlGroups.shares(ofWeight: 250, mount: mount) == 250)
    #expect(ControlGroups.shares(ofWeight: 0, mount: mount) == 1)
    try write("", "cpu/cpu.shares", in: scope.url)
    #expect(ControlGroups.shares(ofWeight: 250, mount: mount) == 2560)
    #expect(ControlGroups.shares(ofWeight: 0, mount: mount) == 2)
  }

  @Test("The second one hands processors down from group to group")
  func second() throws {
    let (folder, installation) = (scope.url, UUID())
    try write("cpuset memory pids\n", "cgroup.controllers", in: folder)
    #expect(ControlGroups(of: installation, mount: folder.path) == nil)
    try write("cpuset cpu memory pids\n", "cgroup.controllers", in: folder)
    let (ours, group) = ("vpsd/\(installation.text)", "vpsd/\(installation.text)/\(Self.machine.text)")
    let controls = ["", "vpsd/", "\(ours)/"].map { "\($0)cgroup.subtree_control" }
    for file in controls + ["\(group)/cpu.weight", "\(group)/cgroup.procs"] { try write("", file, in: folder) }
    let groups = try #require(ControlGroups(of: installation, mount: folder.path))
    try groups.hold(77, of: Self.machine, to: 250)
    for control in controls { #expect(try read(control, in: folder) == "+cpu") }
    #expect(try read("\(group)/cpu.weight", in: folder) == "250")
    #expect(try read("\(group)/cgroup.procs", in: folder) == "77")
    // What the kernel does not let us do is an error, which the caller tells of.
    #expect(throws: (any Error).self) { try groups.hold(77, of: UUID(), to: 250) }
  }
}
