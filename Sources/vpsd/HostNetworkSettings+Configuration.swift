import Core
import HostNetwork

extension Configuration {
  /// The network of this host's servers; nil where they are at its loopback. Asks the host for what is not said.
  func hostNetwork() throws -> HostNetworkSettings? {
    guard driver == .libvirt, network.hasTaps else { return nil }
    // One that is not there yet keeps nobody from anything else: whoever keeps the network tells of it.
    let uplink = try network == .bridge ? bridge ?? "" : uplink ?? HostNetworkSettings.defaultUplink() ?? ""
    let mtu = try mtu ?? HostNetworkSettings.mtu(of: uplink) ?? 1500
    let own = locationsHere
    var settings = HostNetworkSettings(
      uplink: uplink, mtu: mtu, pools: unique([addressPool] + own.compactMap(\.addressPool)),
      ipv6Pools: unique([addressPool6].compactMap { $0 } + own.compactMap(\.addressPool6)),
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

  /// Those of this machine's libvirt, by their codes.
  var locationsHere: [LocationSettings] {
    locations.sorted { $0.key < $1.key }.map(\.value).filter { $0.driver == nil }
  }

  func unique<Pool: Hashable>(_ pools: [Pool]) -> [Pool] {
    var known: Set<Pool> = []
    return pools.filter { known.insert($0).inserted }
  }
}
