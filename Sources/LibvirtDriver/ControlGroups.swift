import Core
import Foundation
import PrivateFiles

/// How the host's processors are shared among the machines of a libvirtd of our own, which is told to leave control groups
/// alone: each QEMU has a group of its own, all of them below one of the installation. Blocks.
struct ControlGroups: Sendable {
  enum Version: Equatable {
    case first, second
  }

  private let mount: String
  private let version: Version
  private let installation: UUID

  private static let ours = "vpsd"
  private static let standardMount = "/sys/fs/cgroup"

  /// Nil where this host has none that share processors.
  init?(of installation: UUID, mount: String = standardMount) {
    self.installation = installation
    let controllers = (try? String(contentsOfFile: "\(mount)/cgroup.controllers", encoding: .utf8)) ?? ""
    if controllers.split(whereSeparator: \.isWhitespace).contains("cpu") {
      self.mount = mount
      version = .second
    } else if MachineFiles.exists("\(mount)/cpu/cpu.shares") {
      self.mount = "\(mount)/cpu"
      version = .first
    } else {
      return nil
    }
  }

  /// A weight as libvirt passes it on to the kernel: as it is to groups of the second version, which count from 100 where those
  /// of the first count from 1024.
  static func shares(ofWeight weight: Int, mount: String = standardMount) -> Int {
    MachineFiles.exists("\(mount)/cpu/cpu.shares") ? firstShares(ofWeight: weight) : max(1, weight)
  }

  private static func firstShares(ofWeight weight: Int) -> Int { max(2, weight * 1024 / 100) }

  private var folder: String { "\(mount)/\(Self.ours)/\(installation.text)" }

  /// From now on it has so much of the processors where they are short, beside all others here.
  func hold(_ process: pid_t, of machine: UUID, to weight: Int) throws {
    do {
      try place(process, of: machine, weight)
    } catch let error as HostError where error.number == ENOENT {
      // Another installation has just removed the folder of all, which was empty.
      try place(process, of: machine, weight)
    }
  }

  private func place(_ process: pid_t, of machine: UUID, _ weight: Int) throws {
    let group = "\(folder)/\(machine.text)"
    let all = "\(mount)/\(Self.ours)"
    for (parent, child) in [(mount, all), (all, folder), (folder, group)] {
      if version == .second { try Self.write("+cpu", to: "\(parent)/cgroup.subtree_control") }
      guard mkdir(child, 0o755) == 0 || errno == EEXIST else { throw HostError.last("make \(child)") }
    }
    switch version {
    case .first: try Self.write("\(Self.firstShares(ofWeight: weight))", to: "\(group)/cpu.shares")
    case .second: try Self.write("\(weight)", to: "\(group)/cpu.weight")
    }
    try Self.write("\(process)", to: "\(group)/cgroup.procs")
  }

  /// Once its process has ended; what is absent already is fine.
  func remove(_ machine: UUID) {
    rmdir("\(folder)/\(machine.text)")
  }

  /// All that no process is in.
  func removeUnused() {
    for machine in (try? MachineFiles.uuids(in: folder)) ?? [] { remove(machine) }
    rmdir(folder)
    rmdir("\(mount)/\(Self.ours)")
  }

  private static func write(_ text: String, to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw HostError.last("open \(path)") }
    defer { close(descriptor) }
    guard Foundation.write(descriptor, text, text.utf8.count) == text.utf8.count else {
      throw HostError.last("write \(path)")
    }
  }
}
