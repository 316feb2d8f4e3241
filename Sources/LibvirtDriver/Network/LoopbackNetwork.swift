import Core
import HostNetwork
import HostPrograms
import Logging

/// Every machine has a user-mode network of QEMU to itself, and some ports of its own address in 127.0.0.0/8 lead into it.
struct LoopbackNetwork: MachineNetwork {
  let ports: PortChoice
  /// The namespace that QEMU runs in, so that a guest never reaches this host; nil where guests cannot reach other hosts.
  let outbound: OutboundNamespace?
  /// The namespace that QEMU ran in before, if it still exists.
  let retired: OutboundNamespace?
  let logger: Logger

  var sshPort: UInt16 { ports.current.ssh }

  func attachment(of interface: NetworkInterface, hardwareAddress: HardwareAddress) throws -> NetworkAttachment {
    attachment(of: interface, hardwareAddress: hardwareAddress, ports: try ports.renewed())
  }

  /// As arguments for QEMU, because libvirt cannot forward ports of a given address into user-mode networking.
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

  /// Without ports nothing leads to it.
  func templateAttachment(_ hardwareAddress: HardwareAddress) -> NetworkAttachment? {
    attachment(
      of: NetworkInterface(address: IPv4Address(number: 0)), hardwareAddress: hardwareAddress,
      ports: ForwardedPorts(rules: []))
  }

  /// QEMU's user-mode network is the same for every guest. Without a way out no name server answers, and each lookup would wait
  /// for one.
  func guestNetwork(of interface: NetworkInterface) -> GuestNetwork {
    GuestNetwork(
      ipv4Address: "10.0.2.15/24", ipv4Gateway: "10.0.2.2",
      nameServers: outbound == nil ? [] : [OutboundNamespace.nameServer])
  }

  /// The address at which QEMU itself listens.
  private func listening(at address: IPv4Address) -> IPv4Address {
    outbound == nil ? address : OutboundNamespace.inside(address)
  }

  /// Forgets forwards that ended with an earlier QEMU, so that they are not taken for another program's.
  func attach(_ files: ServerFiles, isOff: Bool) throws {
    if isOff { forgetForwards() }
  }

  func release(_ files: ServerFiles) throws { forgetForwards() }

  /// A failure is only logged here, because the machine starts all the same: `keep` reports what is wrong with the namespace.
  private func forgetForwards() {
    do {
      try (outbound ?? retired)?.reconcile()
    } catch {
      logger.debug("the way out of servers is not as it should be: \(error)")
    }
  }

  func keep(until stop: StopSignal) { (outbound ?? retired)?.keep(until: stop) }

  /// Inside the namespace all ports are free, so that a start does not fail where a port is taken outside.
  var mustLookBeforeStart: Bool { outbound != nil }

  func lostPorts(at address: IPv4Address) -> [Int] { (outbound ?? retired)?.lostPorts(at: address) ?? [] }

  func isFree(_ address: ServerAddress) throws -> Bool {
    // Machines have no IPv6 address of the host here.
    guard case .ipv4(let address) = address else { return true }
    // A port that is taken on every address is no reason to try another address.
    return try ports.renewed().rules.allSatisfy { ForwardedPorts.canBind(address, port: $0.host) }
  }

  /// Another program may have taken one of the machine's ports on every address since its definition.
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
