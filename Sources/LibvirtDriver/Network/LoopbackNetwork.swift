import Core
import HostNetwork
import HostPrograms
import Logging

/// Every machine has QEMU's user-mode network for itself, and some ports of its own address in 127.0.0.0/8 lead into it.
struct LoopbackNetwork: MachineNetwork {
  let ports: PortChoice
  /// Where QEMU runs, so that what a guest reaches is never this host; nil where guests reach nobody.
  let outbound: OutboundNamespace?
  /// Where it ran before, if anything is left of that.
  let retired: OutboundNamespace?
  let logger: Logger

  var sshPort: UInt16 { ports.current.ssh }

  func attachment(of interface: NetworkInterface, hardwareAddress: HardwareAddress) throws -> NetworkAttachment {
    attachment(of: interface, hardwareAddress: hardwareAddress, ports: try ports.renewed())
  }

  /// libvirt has no words for ports of an address of our own that lead into user-mode networking.
  func attachment(
    of interface: NetworkInterface, hardwareAddress: HardwareAddress, ports: ForwardedPorts
  ) -> NetworkAttachment {
    let address = listening(at: interface.address)
    let forwards = ports.rules.map { "hostfwd=tcp:\(address):\($0.host)-:\($0.guest)" }
    let backend = ["user", "id=net0", "ipv6=off", "restrict=\(outbound == nil ? "on" : "off")"] + forwards
    let device = ["virtio-net-pci", "netdev=net0", "mac=\(hardwareAddress)", "bus=pcie.0", "addr=0x10", "romfile="]
    return NetworkAttachment(
      sshPort: ports.ssh,
      arguments: ["-netdev", backend.joined(separator: ","), "-device", device.joined(separator: ",")])
  }

  /// QEMU's user-mode network is the same for every guest. Without a way out no name server answers, and each look-up would
  /// wait for one.
  func guestNetwork(of interface: NetworkInterface) -> GuestNetwork {
    GuestNetwork(
      ipv4Address: "10.0.2.15/24", ipv4Gateway: "10.0.2.2",
      nameServers: outbound == nil ? [] : [OutboundNamespace.nameServer])
  }

  /// Where its QEMU itself listens.
  private func listening(at address: IPv4Address) -> IPv4Address {
    outbound == nil ? address : OutboundNamespace.inside(address)
  }

  /// What ended with an earlier QEMU is forgotten, so that it is not taken for somebody else's.
  func attach(_ files: ServerFiles, isOff: Bool) throws {
    if isOff { forgetForwards() }
  }

  func release(_ files: ServerFiles) throws { forgetForwards() }

  /// Whoever keeps the namespace tells what is wrong with it; a machine starts all the same.
  private func forgetForwards() {
    do {
      try (outbound ?? retired)?.reconcile()
    } catch {
      logger.debug("the way out of servers is not as it should be: \(error)")
    }
  }

  func keep(until stop: StopSignal) { (outbound ?? retired)?.keep(until: stop) }

  /// Inside, a QEMU that starts finds all ports free.
  var mustLookBeforeStart: Bool { outbound != nil }

  func lostPorts(at address: IPv4Address) -> [Int] { (outbound ?? retired)?.lostPorts(at: address) ?? [] }

  func isFree(_ address: ServerAddress) throws -> Bool {
    // Nobody is reached at one of IPv6 here.
    guard case .ipv4(let address) = address else { return true }
    // What is taken on every address is no reason to try another one.
    return try ports.renewed().rules.allSatisfy { ForwardedPorts.canBind(address, port: $0.host) }
  }

  /// Something may have taken one of its ports on every address since it was defined.
  func mended(_ definition: String, of mark: MachineMark) throws -> String? {
    let address = listening(at: mark.address)
    let old = ForwardedPorts(definition: definition, address: address)
    let taken = old.rules.filter { !ForwardedPorts.canBind(mark.address, port: $0.host) }
    if taken.isEmpty { return nil }
    let new = try ports.renewed()
    let stuck = taken.filter { rule in new.host(of: rule.guest) ?? rule.host == rule.host }
    guard stuck.isEmpty else {
      let list = stuck.map { String($0.host) }.joined(separator: ", ")
      throw DriverError(.exhausted, "another program of this host listens at \(mark.address), port \(list)")
    }
    return new.replacing(old, in: definition, address: address)
  }
}
