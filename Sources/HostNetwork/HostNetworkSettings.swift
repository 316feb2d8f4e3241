package import Core

/// What the network of this host's servers is like, whichever servers there are.
package struct HostNetworkSettings: Sendable, Equatable {
  /// The link that leads to the world, or the bridge; empty where there is none.
  package var uplink: String
  /// Of every tap and every guest's card, in bytes.
  package var mtu: Int
  package var pools: [AddressPool]
  package var ipv6Pools: [IPv6Pool]
  /// Which guests may ask even where they are in a network that is closed to them.
  package var nameServers: [IPAddress]
  /// Of those that are not the internet, which servers reach all the same.
  package var openNetworks: [IPNetwork] = []
  /// Whether servers may open connections to TCP port 25.
  package var mayMail = false
  /// Nil where nobody outside reaches servers at private addresses.
  package var forwarding: PortForwarding?
  /// What servers are ports of; nil where this host routes to them.
  package var bridge: HostBridge?

  package init(uplink: String, mtu: Int, pools: [AddressPool], ipv6Pools: [IPv6Pool], nameServers: [IPAddress]) {
    self.uplink = uplink
    self.mtu = mtu
    self.pools = pools
    self.ipv6Pools = ipv6Pools
    self.nameServers = nameServers
  }

  /// The networks of the pools, which are ours as a whole, whoever has which of their addresses.
  var poolNetworks: [String] { pools.flatMap(\.networks) }
  var poolNetworks6: [String] { ipv6Pools.map(\.description) }

  /// The tables of the packet filter.
  var tables: [String] { ["inet vpsd", "arp vpsd"] + (bridge == nil ? [] : ["bridge vpsd"]) }

  /// Of those that are closed otherwise. Neighbours on a bridge are not known by a link of their own.
  var networksToReach: [IPNetwork] {
    openNetworks + (bridge == nil ? [] : (poolNetworks + poolNetworks6).compactMap { IPNetwork($0) })
  }

  /// What of the pools' addresses nobody on the internet reaches, pool by pool, with what is reserved of them: so nothing moves by a
  /// reservation, nor by a pool that comes behind.
  package static func privateRanges(of pools: [AddressPool]) -> [ClosedRange<IPv4Address>] {
    pools.flatMap(\.configuredRanges).filter { range in
      let ends = [range.lowerBound, range.upperBound].compactMap { IPAddress($0.description) }
      return private4.contains { network in ends.allSatisfy { network.contains($0) } }
    }
  }

  /// Those that nobody on the internet answers to: what comes from them goes out under the host's own address.
  var privateNetworks: [String] {
    poolNetworks.filter { network in
      IPNetwork(network).map { network in Self.private4.contains { $0.contains(network) } } ?? false
    }
  }

  /// Whether servers can be let into this network of others. The host's own links, a cloud's metadata among them, stay closed.
  package static func canBeOpen(_ network: IPNetwork) -> Bool {
    (private4 + ["198.18.0.0/15", "fc00::/7"].compactMap { IPNetwork($0) }).contains { $0.contains(network) }
  }

  private static let private4 = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"].compactMap {
    IPNetwork($0)
  }
  var privateNetworks6: [String] { ipv6Pools.filter(\.isPrivate).map(\.description) }

  /// Each guest has its gateway there, on a link that it shares with nobody but the host.
  package static let gateway = "169.254.1.1"
  package static let gateway6 = "fe80::1"
  /// The same on every tap, so that a guest that is copied finds its gateway where the original had it.
  static let gatewayHardwareAddress = "02:00:5e:00:01:01"
  /// Marks our routes among the host's.
  static let routeProtocol = "240"
}
