import Core
import Foundation
import PrivateFiles

/// Shares the host's processors among the machines of our own libvirtd, which is configured not to use control groups: each
/// QEMU has a group of its own, below one group of the installation. Blocks.
struct ControlGroups: Sendable {
  enum Version: Equatable {
    case first, second
  }

  private let mount: String
  private let version: Version
  private let installation: UUID

  private static let ours = "vpsd"
  private static let standardMount = "/sys/fs/cgroup"

  /// Nil where this host has no control groups with a CPU controller.
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

  /// The value to give libvirt, which passes it to the kernel unchanged: the weight itself for version 2 of control groups
  /// (default 100), shares for version 1 (default 1024).
  static func shares(ofWeight weight: Int, mount: String = standardMount) -> Int {
    MachineFiles.exists("\(mount)/cpu/cpu.shares") ? firstShares(ofWeight: weight) : max(1, weight)
  }

  private static func firstShares(ofWeight weight: Int) -> Int { max(2, weight * 1024 / 100) }

  private var folder: String { "\(mount)/\(Self.ours)/\(installation.text)" }

  /// Moves the process into the machine's group with this weight, which decides its share where processors are short.
  func hold(_ process: pid_t, of machine: UUID, to weight: Int) throws {
    do {
      try place(process, of: machine, weight)
    } catch let error as HostError where error.number == ENOENT {
      // Another installation may just have removed the empty parent folder.
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

  /// To be called once the machine's process has ended. An absent group is fine.
  func remove(_ machine: UUID) {
    rmdir("\(folder)/\(machine.text)")
  }

  /// Removes all groups without a process.
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
