import Core
import HostNetwork

extension Configuration {
  /// The network that this host routes to; nil where its servers are at its loopback. Asks the host for what is not said.
  func hostNetwork() throws -> HostNetworkSettings? {
    guard driver == .libvirt, network == .routed else { return nil }
    guard let uplink = try uplink ?? HostNetworkSettings.defaultUplink() else {
      throw NoUplink(text: "there is no default route. Name the link that leads to the world: uplink")
    }
    guard let mtu = try mtu ?? HostNetworkSettings.mtu(of: uplink) else {
      throw NoUplink(text: "there is no link \(uplink.quoted): uplink")
    }
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

struct NoUplink: Error, CustomStringConvertible {
  let text: String
  var description: String { "network: routed: \(text)." }
}
