import Core
import Foundation
import HostNetwork
import Logging

/// A daemon that runs the machines. All methods block: only for `BlockingThreads`.
protocol Libvirtd: Sendable {
  var uri: String { get }

  /// Uses the daemon that listens already, or starts one if the daemon is our own.
  func ensureRunning() throws

  /// Stops the daemon if it is our own; the machines run on.
  func stop() throws

  /// Kills our own daemon, which does not answer. The machines survive this, too.
  func kill()

  /// The file in which libvirt and QEMU log how a machine began and ended.
  func logPath(domain name: String) -> String

  /// The ends of the daemon's logs, for an operator who wants to know why it did not start.
  var lastWords: String { get }
}

/// The host's libvirtd, which its administrator starts, stops and configures.
struct HostLibvirtd: Libvirtd {
  let uri = "qemu:///system"
  let lastWords = "it is the host's: see its own log"

  func ensureRunning() throws {}
  func stop() throws {}
  func kill() {}
  func logPath(domain name: String) -> String { "/var/log/libvirt/qemu/\(name).log" }
}

/// Our own libvirtd for a command that only inspects: it neither starts nor ends one.
struct LibvirtdAsItIs: Libvirtd {
  let daemon: PrivateLibvirtd

  var uri: String { daemon.uri }
  var lastWords: String { daemon.lastWords }

  func ensureRunning() throws {
    guard daemon.isRunning else {
      throw DriverError(.unreachable, "no libvirtd of this data directory runs: nobody listens at \(daemon.socketPath)")
    }
  }

  func stop() throws {}
  func kill() {}
  func logPath(domain name: String) -> String { daemon.logPath(domain: name) }
}

extension LibvirtDriver.Configuration {
  func libvirtd(in outbound: OutboundNamespace?, logger: Logger) throws -> any Libvirtd {
    switch daemon {
    case .own:
      let own = try PrivateLibvirtd(
        directory: PrivateLibvirtd.directory(dataDirectory), outbound: outbound, logger: logger)
      return onlyLooks ? LibvirtdAsItIs(daemon: own) : own
    case .host: return HostLibvirtd()
    }
  }
}
