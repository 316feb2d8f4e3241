import Core
import HostNetwork

extension Configuration {
  /// The network that this host routes to; nil where its servers are at its loopback. Asks the host for what is not said.
  func hostNetwork() throws -> HostNetworkSettings? {
    guard driver == .libvirt, network == .routed else { return nil }
    // One that is not there yet keeps nobody from anything else: whoever keeps the network tells of it.
    let uplink = try uplink ?? HostNetworkSettings.defaultUplink() ?? ""
    let mtu = try mtu ?? HostNetworkSettings.mtu(of: uplink) ?? 1500
    let own = locations.values.filter { $0.driver == nil }
    var settings = HostNetworkSettings(
      uplink: uplink, mtu: mtu, pools: unique([addressPool] + own.compactMap(\.addressPool)),
      ipv6Pools: unique([addressPool6].compactMap { $0 } + own.compactMap(\.addressPool6)),
      nameServers: nameServers ?? HostNetworkSettings.nameServers())
    settings.mayMail = mayServersMail
    return settings
  }

  private func unique<Pool: Hashable>(_ pools: [Pool]) -> [Pool] {
    var known: Set<Pool> = []
    return pools.filter { known.insert($0).inserted }
  }
}
