import Core
import Foundation
import HostNetwork
import HostPrograms
import Logging
import PrivateFiles
import Synchronization

/// Every machine has a tap of its own, which either has the machine's addresses routed to it or is a port of a bridge of the
/// host.
struct TapNetwork: MachineNetwork {
  let reconciler: NetworkReconciler
  let dataDirectory: String
  let logger: Logger
  /// What was read or written last: for callers that must not block, and for moments in which a file cannot be read.
  private let known = LastKnown()

  init(reconciler: NetworkReconciler, dataDirectory: String, logger: Logger) {
    (self.reconciler, self.dataDirectory, self.logger) = (reconciler, dataDirectory, logger)
    // Fills `known`, so that `forwarding` works from the first moment.
    _ = try? stored()
  }

  private var settings: HostNetworkSettings { reconciler.settings }

  var sshPort: UInt16 { 22 }
  var enforcesFirewalls: Bool { true }

  func forwarding(to machine: UUID) -> PortForwarding.Share? {
    let address = known.interfaces.withLock { $0[machine]?.addresses.first }
    return address.flatMap { reconciler.forwarding(to: $0) }
  }

  var countsTraffic: Bool { true }

  /// libvirt uses the existing tap and does not manage it: the tap belongs to the server, and outlives its QEMU.
  func attachment(of interface: NetworkInterface, hardwareAddress: HardwareAddress) throws -> NetworkAttachment {
    let tap = Markup("target", ["dev": try routed(interface, hardwareAddress).tap, "managed": "no"])
    return attachment(hardwareAddress, [tap])
  }

  /// libvirt makes a tap for it, which nothing is routed to and which ends with its QEMU.
  func templateAttachment(_ hardwareAddress: HardwareAddress) -> NetworkAttachment? { attachment(hardwareAddress, []) }

  private func attachment(_ hardwareAddress: HardwareAddress, _ tap: [Markup]) -> NetworkAttachment {
    let card = Markup(
      "interface", ["type": "ethernet"],
      tap + [
        Markup("mac", ["address": "\(hardwareAddress)"]),
        Markup("model", ["type": "virtio"]),
        Markup("mtu", ["size": "\(settings.mtu)"]),
        Markup("rom", ["enabled": "no"]),
        DomainDefinition.pciAddress(slot: "0x10"),
      ])
    return NetworkAttachment(sshPort: sshPort, devices: [card])
  }

  func guestNetwork(of interface: NetworkInterface) -> GuestNetwork {
    if let bridge = settings.bridge { return guestNetwork(of: interface, on: bridge) }
    let networks = interface.ipv6Networks.map { "\($0.serverAddress)/\($0.prefixLength)" }
    return GuestNetwork(
      ipv4Address: "\(interface.address)/32", ipv4Gateway: HostNetworkSettings.gateway,
      ipv6Address: networks.first, ipv6Gateway: networks.isEmpty ? nil : HostNetworkSettings.gateway6,
      nameServers: settings.nameServers.map(\.description),
      furtherAddresses: interface.furtherAddresses.map { "\($0)/32" } + networks.dropFirst(),
      revision: interface.revision)
  }

  private func guestNetwork(of interface: NetworkInterface, on bridge: HostBridge) -> GuestNetwork {
    func address(_ text: String, _ address: IPAddress) -> String {
      "\(text)/\(bridge.gateway(of: address)?.network?.prefixLength ?? (address.isIPv4 ? 32 : 128))"
    }
    let four = interface.addresses.map { address($0.description, IPAddress($0)) }
    let six = interface.ipv6Networks.map { address($0.serverAddress, IPAddress(ofServerIn: $0)) }
    return GuestNetwork(
      ipv4Address: four.first, ipv4Gateway: bridge.gateway(of: IPAddress(interface.address))?.address.description,
      ipv6Address: six.first,
      ipv6Gateway: interface.ipv6Networks.first.flatMap { bridge.gateway(of: IPAddress(ofServerIn: $0)) }?.address
        .description,
      nameServers: settings.nameServers.map(\.description),
      furtherAddresses: Array(four.dropFirst() + six.dropFirst()), revision: interface.revision)
  }

  /// Whether the address is none of the host's own.
  func isFree(_ address: ServerAddress) throws -> Bool { try !HostNetworkSettings.isOwn(address) }

  func mended(_ definition: String, of mark: MachineMark) throws -> String? { nil }

  // MARK: - Taps

  func define(_ specification: MachineSpecification, hardwareAddress: HardwareAddress, in files: ServerFiles) throws {
    try known.inTurn {
      var interface = try routed(specification.interface, hardwareAddress)
      interface.firewall = specification.firewall
      interface.allow(specification.allowance)
      let earlier = try Self.stored(files)
      if interface == earlier, reconciler.isLoaded(interface) { return }
      if interface != earlier { try store(interface, files) }
      // For a machine that exists, other addresses and another firewall take effect at once.
      if let earlier {
        if earlier.tap != interface.tap { try reconciler.remove(earlier) }
        try reconciler.apply(interface, among: interfaces)
      }
    }
  }

  func attach(_ files: ServerFiles, isOff: Bool) throws {
    try known.inTurn {
      guard let interface = try Self.stored(files) else { return }
      try reconciler.apply(interface, among: interfaces)
      guard isOff else { return }
      // Packets that came while the machine was off do not count as its traffic.
      let counters = try reconciler.counters()[interface.tap] ?? NetworkCounters(receivedBytes: 0, sentBytes: 0)
      try PrivateFile.write(
        Array("\(counters.receivedBytes) \(counters.sentBytes)\n".utf8), to: files.trafficAtStart)
    }
  }

  func release(_ files: ServerFiles) throws {
    try known.inTurn {
      guard let interface = try Self.stored(files) else { return }
      // Without its file the tap belongs to no server. If we die here, the next reconciliation removes it.
      try MachineFiles.remove(files.network)
      known.interfaces.withLock { $0[files.machine] = nil }
      try reconciler.remove(interface)
    }
  }

  func apply(_ firewall: Firewall, _ allowance: NetworkAllowance, to files: ServerFiles) throws {
    try known.inTurn {
      guard let earlier = try Self.stored(files) else { return }
      var interface = earlier
      interface.firewall = firewall
      interface.allow(allowance)
      if interface == earlier, reconciler.isLoaded(interface) { return }
      if interface != earlier { try store(interface, files) }
      try reconciler.apply(interface, among: interfaces)
    }
  }

  func counters() throws -> [UUID: NetworkCounters] {
    let counters = try reconciler.counters()
    return try stored().reduce(into: [:]) { result, entry in
      guard let now = counters[entry.value.tap] else { return }
      let files = ServerFiles(dataDirectory: dataDirectory, machine: entry.key)
      result[entry.key] = now.since(NetworkCounters(file: files.trafficAtStart))
    }
  }

  func keep(until stop: StopSignal) { reconciler.keep(interfaces, until: stop) }

  private func routed(_ interface: NetworkInterface, _ hardwareAddress: HardwareAddress) throws -> RoutedInterface {
    if let address = interface.addresses.first(where: { $0.number >> 24 == 127 }) {
      throw DriverError(
        .rejected, "\(address) is an address of the loopback network, which was this host's before")
    }
    return RoutedInterface(
      hardwareAddress: hardwareAddress, addresses: interface.addresses, ipv6Networks: interface.ipv6Networks,
      firewall: .disabled)
  }

  // MARK: - Files in the servers' folders

  @Sendable private func interfaces() throws -> [RoutedInterface] { Array(try stored().values) }

  func stored() throws -> [UUID: RoutedInterface] {
    let root = ServerFiles.root(dataDirectory)
    // An unreadable folder must not look like one without servers.
    guard access(root, R_OK | X_OK) == 0 || errno == ENOENT else { throw HostError.last("look at \(root)").driverError }
    var interfaces: [UUID: RoutedInterface] = [:]
    for machine in try ServerFiles.machines(dataDirectory: dataDirectory) {
      do {
        interfaces[machine] = try Self.stored(ServerFiles(dataDirectory: dataDirectory, machine: machine))
      } catch {
        logger.error("the network of a server cannot be read: \(error)", metadata: ["machine": "\(machine.text)"])
        interfaces[machine] = known.interfaces.withLock { $0[machine] }
      }
    }
    let read = interfaces
    known.interfaces.withLock { $0 = read }
    return interfaces
  }

  private static func stored(_ files: ServerFiles) throws -> RoutedInterface? {
    guard access(files.network, R_OK) == 0 else {
      if errno == ENOENT { return nil }
      throw HostError.last("read \(files.network)").driverError
    }
    guard let data = FileManager.default.contents(atPath: files.network) else {
      throw DriverError(.rejected, "\(files.network) cannot be read")
    }
    do {
      return try JSONDecoder().decode(RoutedInterface.self, from: data)
    } catch {
      throw DriverError(.rejected, "\(files.network): \(error)")
    }
  }

  private func store(_ interface: RoutedInterface, _ files: ServerFiles) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    try PrivateFile.write(try encoder.encode(interface), to: files.network)
    known.interfaces.withLock { $0[files.machine] = interface }
  }
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

private final class LastKnown: Sendable {
  private let turn = Mutex(())

  /// Serialises changes: addresses and firewall of a server are in one file, but are changed separately.
  func inTurn<Value>(_ body: () throws -> Value) rethrows -> Value { try turn.withLock { _ in try body() } }

  let interfaces = Mutex<[UUID: RoutedInterface]>([:])
}
