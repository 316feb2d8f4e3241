import Core
package import Foundation
import HostNetwork
import Logging

/// Questions about the host for an operator who looks for a fault.
extension LibvirtDriver {
  /// The machines on this host, and remnants of machines, also where libvirtd does not run.
  package func machinesOnHost() async throws -> Set<UUID> {
    do {
      return Set(try await observe().powers.keys)
    } catch let error as DriverError where error.kind == .unreachable {
      let folders = try await onFiles("list the servers") {
        try ServerFiles.machines(dataDirectory: configuration.dataDirectory)
      }
      let copies = try await copiesOnHost()
      return try await folders.union(copies.keys).subtracting(templatesInMaking())
    }
  }

  /// The guest ports that have another port at the servers' addresses: host port by guest port.
  package var shiftedPorts: [Int: Int] {
    let rules = (network as? LoopbackNetwork)?.ports.current.rules ?? []
    return Dictionary(rules.filter { $0.host != $0.guest }.map { (Int($0.guest), Int($0.host)) }) { $1 }
  }

  /// Network links that have our name and mark, but belong to no server.
  package func strayTaps() async throws -> [String] {
    guard let network = network as? TapNetwork else { return [] }
    return try await onNetwork("look for links") {
      try network.links.reconciler.strayLinks(beside: [])
    }
  }

  package func removeStrayTap(_ name: String) async throws {
    guard let network = network as? TapNetwork else { return }
    try await onNetwork("remove a link") {
      try network.links.reconciler.removeStrayLink(name, beside: [])
    }
  }

  /// The path of a namespace that servers once ran in and that is unused now; nil where there is none.
  package func abandonedNamespace() async throws -> String? {
    let namespace = configuration.outboundNamespace(isRetired: true, logger)
    let daemon = try PrivateLibvirtd(
      directory: PrivateLibvirtd.directory(configuration.dataDirectory), logger: logger)
    return try await onNetwork("look at the way out") {
      guard namespace.exists, daemon.processID == nil, try namespace.isUnused() else { return nil }
      return namespace.path
    }
  }

  package func removeAbandonedNamespace() async throws {
    guard try await abandonedNamespace() != nil else { return }
    let namespace = configuration.outboundNamespace(isRetired: true, logger)
    try await onNetwork("close the way out") { try namespace.removeIfUnused() }
  }
}

extension LibvirtDriver.Configuration {
  /// Why QEMU cannot run as a user of its own for each server; nil where it can.
  package func emulatorObstacle() -> String? {
    var configuration = self
    configuration.onlyLooks = false
    var host = UserSupport.ofThisHost()
    let silent = Logger(label: "vpsd", factory: { _ in SwiftLogNoOpLogHandler() })
    if let namespace = try? configuration.outboundNamespace(logger: silent), namespace.obstacle == nil {
      host.lowestPort = 0
    }
    return host.obstacle(for: configuration, accelerator: accelerator ?? .detected())
  }
}

extension Accelerator {
  /// Whether the processor can run guests itself, and whether its device is there and can be opened.
  package static func support() -> (isCapable: Bool, hasDevice: Bool, canOpenDevice: Bool) {
    let processors = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    return (
      detected(processors: processors, canOpenDevice: true) == .kvm, access("/dev/kvm", F_OK) == 0, canOpenDevice()
    )
  }
}
