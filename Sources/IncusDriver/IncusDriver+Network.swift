package import Core
package import Foundation
package import HostNetwork
import HostPrograms

/// The cards of containers, whose other ends are links of this machine that `HostNetwork` keeps. The server makes such a link when it
/// starts a container, also when a guest reboots by itself: that `keep` looks at the links decides, and nothing that is told.
extension IncusDriver {
  /// Nil where containers have no card.
  package var links: ServerLinks? {
    guard case .routed(let links) = configuration.network else { return nil }
    return links
  }

  package var enforcesFirewalls: Bool { links != nil }
  package func forwarding(to machine: UUID) -> PortForwarding.Share? { links?.forwarding(to: machine) }

  package func applyFirewall(_ firewall: Firewall, _ allowance: NetworkAllowance, to machine: UUID) async throws {
    // At the loopback nothing passes but the ports that are forwarded.
    try await onLinks("apply the firewall") { links in try links.apply(firewall, allowance, to: machine) }
  }

  package func applyAddresses(of interface: NetworkInterface, to machine: UUID) async throws {
    // What leads in at the loopback is the member's, and was changed with the definition.
    guard let links, interface.revision > 0 else { return }
    let arguments = links.settings.guestNetwork(of: interface).arguments
    try await DriverError.translating {
      try await requireSuccess(
        of: ["/usr/sbin/vpsd-set-addresses"] + arguments, in: machine,
        refusal: "The server did not take its new addresses; it will at its next start.")
    }
  }

  /// Before the container is there, so that what it may do is known before it does anything.
  func defineLink(of specification: MachineSpecification) async throws {
    var interface = try RoutedInterface(of: specification.interface, specification.hardwareAddress, link: .pair)
    interface.firewall = specification.firewall
    interface.allow(specification.allowance)
    try await onLinks("define the network") { [interface] links in
      try links.define(interface, of: specification.machine)
    }
  }

  /// Its rules are in force, and its link is as it should be where there is one.
  ///
  /// - Parameter isOff: Whether it starts now: what is recorded of a server that was stopped begins at zero with its next start.
  func attachLink(of machine: UUID, isOff: Bool) async throws {
    try await onLinks("attach the network") { links in try links.attach(machine, isOff: isOff) }
  }

  /// The same, once it has been started.
  func attachMadeLink(of machine: UUID) async throws {
    try await onLinks("attach the network") { links in try links.attachMade(machine) }
  }

  /// Once it has been started. Repeating the start does not ask again: a guest may have taken its card away.
  func requireLink(of machine: UUID) async throws {
    guard let links else { return }
    let isThere = try await onThreads("look for the link") { try links.isThere(machine) }
    guard !isThere, try await existingInstance(of: machine).power.isOn else { return }
    throw DriverError(
      .unreachable,
      "the container of \(machine.text) runs, and its link is not on this machine: `network: routed` is for an Incus of this machine, "
        + "in its network")
  }

  func releaseLink(of machine: UUID) async throws {
    try await onLinks("release the network") { links in try links.release(machine) }
  }

  /// Nil where nobody counts, or what was counted cannot be read.
  func countedTraffic() async -> [UUID: NetworkCounters]? {
    guard let links else { return nil }
    return try? await onThreads("read the host's counters", within: .seconds(20)) { try links.counters() }
  }

  func keepNetwork() async {
    guard let links else { return }
    let stop = StopSignal()
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let thread = Thread {
          links.keep(until: stop)
          continuation.resume()
        }
        thread.name = "network"
        thread.start()
      }
    } onCancel: {
      stop.set()
    }
  }

  /// Whether this machine answers to the address itself.
  func isOwn(_ address: ServerAddress) async throws -> Bool {
    try await onThreads("look whether \(address) is free") { try HostNetworkSettings.isOwn(address) }
  }

  /// Nothing where containers have no card.
  private func onLinks(_ what: String, _ body: @escaping @Sendable (ServerLinks) throws -> Void) async throws {
    guard let links else { return }
    try await onThreads(what) { try body(links) }
  }

  private func onThreads<Value: Sendable>(
    _ what: String, within limit: Duration = .seconds(120), _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await DriverError.translating { try await threads.run(what, within: limit, body) }
  }
}
