import Core

/// The ports of this host that lead to its servers: at which address they are, and which of them lead nowhere, because programs of
/// the host listen to them.
struct HostForwarding: Sendable, Equatable {
  /// Nil where no ports do, and as long as the address is not known.
  private(set) var forwarding: PortForwarding?
  /// What the host's programs had before a server did.
  private(set) var taken: Set<Int> = []

  /// What leads to servers now.
  struct InForce {
    /// Nil where nobody knows it.
    var address: IPv4Address?
    var ports: Set<Int> = []
  }

  /// Looks at the host again.
  ///
  /// - Parameter inForce: No program that comes later takes a port away from servers: every user of the host may listen. At an
  ///   address where none of them was, whoever listens there came before.
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

  /// One that it had stays as long as the link has it, and as long as it has no other.
  private static func address(of uplink: String, before: IPv4Address?) -> IPv4Address? {
    let own = (try? HostNetworkSettings.addresses(of: uplink)) ?? []
    if let before, own.isEmpty || own.contains(before) { return before }
    return own.first
  }

  func share(of server: IPv4Address) -> PortForwarding.Share? { forwarding?.share(of: server)?.without(taken) }
}
