package import Core
package import Foundation
package import HostPrograms
package import Logging
import PrivateFiles

/// The links of one driver's servers: what each is to have is in a file of its server's folder, and in force. Links outlive the
/// process that made them, and so does what is known of them. Everything here blocks.
package struct ServerLinks: Sendable {
  package let reconciler: NetworkReconciler
  private let files: LinkFiles

  /// - Parameter root: The folder that has one for each server, named by the machine.
  package init(reconciler: NetworkReconciler, root: String, logger: Logger) {
    self.reconciler = reconciler
    let files = LinkFiles(root: root, logger: logger)
    self.files = files
    // So that `forwarding` works from the first moment.
    _ = try? files.stored()
    reconciler.include { Array(try files.stored().values) }
  }

  package var settings: HostNetworkSettings { reconciler.settings }

  /// Does not block.
  package func forwarding(to machine: UUID) -> PortForwarding.Share? {
    files.lastKnown(of: machine)?.addresses.first.flatMap { reconciler.forwarding(to: $0) }
  }

  /// Stores what the server is to have. For one that exists it takes effect at once.
  package func define(_ interface: RoutedInterface, of machine: UUID) throws {
    try files.inTurn {
      let earlier = try files.stored(of: machine)
      if interface == earlier, reconciler.isLoaded(interface) { return }
      if interface != earlier { try files.store(interface, of: machine) }
      // For a machine that exists, other addresses and another firewall take effect at once.
      if let earlier {
        if earlier.tap != interface.tap { try reconciler.remove(earlier) }
        try reconciler.apply(interface, among: { [] })
      }
    }
  }

  /// Ensures that all of it is in force, and that the link is as it should be where it exists.
  ///
  /// - Parameter isOff: Whether the machine starts now; traffic is counted from there.
  package func attach(_ machine: UUID, isOff: Bool) throws {
    try files.inTurn {
      guard let interface = try files.stored(of: machine) else { return }
      try reconciler.apply(interface, among: { [] })
      guard isOff else { return }
      // Packets that came while the machine was off do not count as its traffic.
      let counters = try reconciler.counters()[interface.tap] ?? NetworkCounters(receivedBytes: 0, sentBytes: 0)
      try PrivateFile.write(
        Array("\(counters.receivedBytes) \(counters.sentBytes)\n".utf8), to: files.trafficAtStart(of: machine))
    }
  }

  /// Takes it away, once the machine is gone.
  package func release(_ machine: UUID) throws {
    try files.inTurn {
      guard let interface = try files.stored(of: machine) else { return }
      // Without its file the link belongs to no server. If we die here, the next reconciliation removes it.
      try files.remove(machine)
      try reconciler.remove(interface)
    }
  }

  package func apply(_ firewall: Firewall, _ allowance: NetworkAllowance, to machine: UUID) throws {
    try files.inTurn {
      guard let earlier = try files.stored(of: machine) else { return }
      var interface = earlier
      interface.firewall = firewall
      interface.allow(allowance)
      if interface == earlier, reconciler.isLoaded(interface) { return }
      if interface != earlier { try files.store(interface, of: machine) }
      try reconciler.apply(interface, among: { [] })
    }
  }

  /// Whether the host has the server's link at the moment.
  package func isThere(_ machine: UUID) throws -> Bool {
    try files.stored(of: machine).map { HostLinks.exists($0.tap) } ?? false
  }

  /// For a link that somebody else has just made: whoever keeps the links may have been faster, and then only a look is needed.
  package func attachMade(_ machine: UUID) throws {
    guard let interface = try files.stored(of: machine), let address = interface.addresses.first else { return }
    if HostLinks.isRouted(address, to: interface.tap), reconciler.isLoaded(interface) { return }
    try attach(machine, isOff: false)
  }

  /// The traffic since each machine's last start.
  package func counters() throws -> [UUID: NetworkCounters] {
    let counters = try reconciler.counters()
    return try files.stored().reduce(into: [:]) { result, entry in
      guard let now = counters[entry.value.tap] else { return }
      result[entry.key] = now.since(NetworkCounters(file: files.trafficAtStart(of: entry.key)))
    }
  }

  /// Keeps them as they should be until `stop` is set.
  package func keep(until stop: StopSignal) { reconciler.keep({ [] }, until: stop) }

  package func stored() throws -> [UUID: RoutedInterface] { try files.stored() }
}

extension NetworkCounters {
  /// Zero where there is no such file.
  fileprivate init(file path: String) {
    let text = String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    let numbers = text.split { $0 == " " || $0 == "\n" }.compactMap { Int64($0) }
    self.init(receivedBytes: numbers.first ?? 0, sentBytes: numbers.dropFirst().first ?? 0)
  }

  /// The traffic since `start`. A counter below its earlier value was removed and began again at zero.
  func since(_ start: NetworkCounters) -> NetworkCounters {
    func growth(_ now: Int64, _ start: Int64) -> Int64 { now >= start ? now - start : now }
    return NetworkCounters(
      receivedBytes: growth(receivedBytes, start.receivedBytes), sentBytes: growth(sentBytes, start.sentBytes))
  }
}
