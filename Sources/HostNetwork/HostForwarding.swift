import Core

/// The ports of this host that are forwarded to its servers: at which address, and which of them are not, because programs of
/// the host listen there.
struct HostForwarding: Sendable, Equatable {
  /// Nil where no ports are forwarded, and as long as the address is unknown.
  private(set) var forwarding: PortForwarding?
  /// The ports that programs of the host had before they were forwarded.
  private(set) var taken: Set<Int> = []

  /// The forwards that are loaded now.
  struct InForce {
    /// Nil where it is unknown.
    var address: IPv4Address?
    var ports: Set<Int> = []
  }

  /// Examines the host again.
  ///
  /// - Parameter inForce: A program that comes later does not take a forwarded port away from servers, because any user of the
  ///   host may listen. Programs at an address that had no forwards yet were there first.
  mutating func look(at settings: HostNetworkSettings, inForce: () -> InForce) {
    guard var wanted = settings.forwarding else { return }
    if wanted.address == nil { wanted.address = Self.address(of: settings.uplink, before: forwarding?.address) }
    forwarding = wanted.address == nil ? nil : wanted
    guard let address = wanted.address else { return }
    let listening = ListeningPorts.current(at: address, in: wanted.range)
    if listening.isEmpty {
      taken = []
      return
    }
    let leading = inForce()
    let earlier =
      leading.address == address ? [] : ListeningPorts.current(at: address, in: wanted.range, isAtEvery: false)
    taken = listening.subtracting(leading.ports.subtracting(earlier))
  }

  /// The earlier address stays as long as the link has it, or has no address at all.
  private static func address(of uplink: String, before: IPv4Address?) -> IPv4Address? {
    let own = (try? HostNetworkSettings.addresses(of: uplink)) ?? []
    if let before, own.isEmpty || own.contains(before) { return before }
    return own.first
  }

  func share(of server: IPv4Address) -> PortForwarding.Share? { forwarding?.share(of: server)?.without(taken) }
}
