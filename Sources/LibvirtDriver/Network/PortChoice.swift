import Core
import Foundation
import Logging
import PrivateFiles
import Synchronization

/// The ports for machines that are defined from now on. Other programs of this host start and stop listening while the service
/// runs, so the choice is checked again before each use. It is stored, so that an installation keeps it.
final class PortChoice: Sendable {
  private struct State {
    var ports: ForwardedPorts
    var stored: ForwardedPorts?
  }

  private let guestPorts: [UInt16]
  private let lowestPort: UInt16
  private let path: String
  private let logger: Logger
  private let canBind: @Sendable (UInt16) -> Bool
  private let state: Mutex<State>

  /// Reads the earlier choice and chooses, without storing the result.
  init(
    for guestPorts: [UInt16], from lowestPort: UInt16, path: String, logger: Logger,
    canBind: @escaping @Sendable (UInt16) -> Bool = { ForwardedPorts.canBind(ForwardedPorts.probeAddress, port: $0) }
  ) throws {
    (self.guestPorts, self.lowestPort, self.path, self.logger) = (guestPorts, lowestPort, path, logger)
    self.canBind = canBind
    let stored = FileManager.default.contents(atPath: path).flatMap { ForwardedPorts(file: $0) }
    let ports = try ForwardedPorts.chosen(for: guestPorts, from: lowestPort, keeping: stored, canBind: canBind)
    state = Mutex(State(ports: ports, stored: stored))
    Self.explain(ports, lowestPort: lowestPort, logger)
  }

  var current: ForwardedPorts { state.withLock { $0.ports } }

  /// The ports for a machine that is about to be defined. Blocks.
  func renewed() throws -> ForwardedPorts {
    try state.withLock { state in
      let ports = try ForwardedPorts.chosen(for: guestPorts, from: lowestPort, keeping: state.ports, canBind: canBind)
      // A port for which we lack the privilege is chosen anew once we have it, so its substitute is not stored.
      let kept = ForwardedPorts(rules: ports.rules.filter { $0.guest >= lowestPort })
      if kept != state.stored {
        try MachineFiles.makeDirectory((path as NSString).deletingLastPathComponent)
        try PrivateFile.write(kept.file, to: path)
        state.stored = kept
      }
      if ports != state.ports {
        state.ports = ports
        Self.explain(ports, lowestPort: lowestPort, logger)
      }
      return ports
    }
  }

  private static func explain(_ ports: ForwardedPorts, lowestPort: UInt16, _ logger: Logger) {
    for rule in ports.rules where rule.host != rule.guest {
      let reason =
        rule.guest < lowestPort
        ? "QEMU may not listen below port \(lowestPort)"
        : "port \(rule.guest) is, or was, taken on every address of this host (a listener on 0.0.0.0?)"
      logger.warning("\(reason): servers have their port \(rule.guest) on \(rule.host)")
    }
  }
}

extension ForwardedPorts {
  /// One line for each rule: the guest's port, and the host's.
  var file: [UInt8] { Array(rules.map { "\($0.guest) \($0.host)\n" }.joined().utf8) }

  /// Nil where the content is something else.
  init?(file: Data) {
    let lines = String(decoding: file.prefix(4096), as: UTF8.self).split(separator: "\n")
    let rules = lines.map { line -> Rule? in
      let numbers = line.split(separator: " ").map { UInt16($0) }
      guard numbers.count == 2, let guest = numbers[0], let host = numbers[1], host > 0 else { return nil }
      return Rule(host: host, guest: guest)
    }
    guard !rules.contains(nil) else { return nil }
    self.init(rules: rules.compactMap { $0 })
  }
}

// MARK: - Ports in a definition

extension ForwardedPorts {
  /// Parses the ports from the definition of a machine with this address.
  init(definition xml: String, address: IPv4Address) {
    let marker = "hostfwd=tcp:\(address):"
    let rules = xml.components(separatedBy: marker).dropFirst().compactMap { rest -> Rule? in
      let host = rest.prefix { $0.isASCII && $0.isNumber }
      let tail = rest.dropFirst(host.count)
      guard tail.hasPrefix("-:") else { return nil }
      let guest = tail.dropFirst(2).prefix { $0.isASCII && $0.isNumber }
      guard let host = UInt16(host), let guest = UInt16(guest) else { return nil }
      return Rule(host: host, guest: guest)
    }
    self.init(rules: rules)
  }

  /// The definition with these ports in the place of the old ones, in its command line and in its mark.
  func replacing(_ old: ForwardedPorts, in xml: String, address: IPv4Address) -> String {
    var xml = xml
    for rule in old.rules {
      guard let host = host(of: rule.guest) else { continue }
      // Replaces one rule at a time, with the guest's port, so that no port is replaced twice.
      xml = xml.replacingOccurrences(
        of: "hostfwd=tcp:\(address):\(rule.host)-:\(rule.guest)\\b",
        with: "hostfwd=tcp:\(address):\(host)-:\(rule.guest)",
        options: .regularExpression)
    }
    for quote in ["'", "\""] {
      xml = xml.replacingOccurrences(
        of: " ssh-port=\(quote)\(old.ssh)\(quote)", with: " ssh-port=\(quote)\(ssh)\(quote)")
    }
    return xml
  }
}
