import Core
import Foundation
import HostNetwork
import Logging

extension Configuration {
  /// Whether machines of this host have taps.
  var hasTaps: Bool { driver == .libvirt && network.hasTaps }
  var hasRoutedContainers: Bool { locations.values.contains(where: \.hasRoutedContainers) }
  /// Whether this host routes to servers, of whatever kind.
  var isRouting: Bool { driver == .libvirt && network == .routed || hasRoutedContainers }

  /// The network settings of this host's servers; nil where none has a link of it. Settings that are not configured are read from
  /// the host.
  func hostNetwork() throws -> HostNetworkSettings? {
    guard hasTaps || hasRoutedContainers else { return nil }
    // A missing uplink is no error here: the reconciler of the network reports it.
    let isBridged = hasTaps && network == .bridge
    let uplink = try isBridged ? bridge ?? "" : uplink ?? HostNetworkSettings.defaultUplink() ?? ""
    let mtu = try mtu ?? HostNetworkSettings.mtu(of: uplink) ?? 1500
    var settings = HostNetworkSettings(
      uplink: uplink, mtu: mtu, pools: addressPoolsHere, ipv6Pools: addressPools6Here,
      nameServers: nameServers ?? HostNetworkSettings.nameServers())
    if isBridged {
      settings.bridge = HostBridge(name: uplink, gateways: bridgeGateways, isIsolating: isBridgeIsolating)
    }
    settings.openNetworks = openNetworks
    settings.mayMail = mayServersMail
    settings.forwarding = forwardRange.map { range in
      PortForwarding(
        address: forwardAddress, range: range, guestPorts: forwardedPorts,
        servers: HostNetworkSettings.privateRanges(of: settings.pools))
    }
    return settings
  }

  /// The owner of all of that, which the drivers of this host share; nil where no server has a link of it.
  func networkReconciler(_ installation: UUID, _ logger: Logger) throws -> NetworkReconciler? {
    try hostNetwork().map { settings in
      NetworkReconciler(
        settings: settings, installation: installation, stateDirectory: dataDirectory.path, logger: logger)
    }
  }

  /// The pools of servers on this machine.
  var addressPoolsHere: [AddressPool] {
    unique(locationsHere.map { $0?.addressPool ?? addressPool })
  }

  var addressPools6Here: [IPv6Pool] {
    unique(locationsHere.compactMap { $0?.addressPool6 ?? addressPool6 })
  }

  /// The settings of the locations on this machine itself: nil for those that have none of their own, then by code; and of those
  /// whose containers have links of it.
  private var locationsHere: [LocationSettings?] {
    if let hostLocation { return [locations[hostLocation]] }
    let all = locations.sorted { $0.key < $1.key }.map(\.value)
    let containers = all.filter(\.hasRoutedContainers)
    // With machines at the loopback, only containers are routed to.
    guard hasTaps || containers.isEmpty else { return containers }
    return [nil] + all.filter { $0.driver == nil } + containers
  }

  func unique<Pool: Hashable>(_ pools: [Pool]) -> [Pool] {
    var known: Set<Pool> = []
    return pools.filter { known.insert($0).inserted }
  }
}
