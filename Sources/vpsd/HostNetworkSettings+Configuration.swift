import Core
import HostNetwork

extension Configuration {
  /// The network settings of this host's servers; nil for a loopback network. Settings that are not configured are read from
  /// the host.
  func hostNetwork() throws -> HostNetworkSettings? {
    guard driver == .libvirt, network.hasTaps else { return nil }
    // A missing uplink is no error here: the reconciler of the network reports it.
    let uplink = try network == .bridge ? bridge ?? "" : uplink ?? HostNetworkSettings.defaultUplink() ?? ""
    let mtu = try mtu ?? HostNetworkSettings.mtu(of: uplink) ?? 1500
    var settings = HostNetworkSettings(
      uplink: uplink, mtu: mtu, pools: addressPoolsHere, ipv6Pools: addressPools6Here,
      nameServers: nameServers ?? HostNetworkSettings.nameServers())
    if network == .bridge {
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

  /// The pools of servers on this machine.
  var addressPoolsHere: [AddressPool] {
    unique(locationsHere.map { $0?.addressPool ?? addressPool })
  }

  var addressPools6Here: [IPv6Pool] {
    unique(locationsHere.compactMap { $0?.addressPool6 ?? addressPool6 })
  }

  /// The settings of the locations on this machine itself: nil for those that have none of their own, then by code.
  private var locationsHere: [LocationSettings?] {
    if let hostLocation { return [locations[hostLocation]] }
    return [nil] + locations.sorted { $0.key < $1.key }.map(\.value).filter { $0.driver == nil }
  }

  func unique<Pool: Hashable>(_ pools: [Pool]) -> [Pool] {
    var known: Set<Pool> = []
    return pools.filter { known.insert($0).inserted }
  }
}
