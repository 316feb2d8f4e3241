import Core
import Foundation

/// The links of servers, with the addresses, neighbours and routes of their servers, and the kernel's settings that they need.
struct HostLinks: Sendable {
  let settings: HostNetworkSettings
  let controls: SystemControls

  /// Brings them into the desired state, and counts the corrections in `repair`.
  ///
  /// - Parameter all: Whether these are all servers of the host; if false, only these servers' entries are examined.
  func link(_ interfaces: [RoutedInterface], _ repair: inout NetworkReconciler.Repair, all: Bool = true) throws {
    var problem: (any Error)?
    /// An error with one server does not keep the others from being corrected; the first one is thrown at the end.
    func attempt(_ body: () throws -> Void) {
      do { try body() } catch { problem = problem ?? error }
    }
    let (onLink, onLink6) = (try onLink(), try onLink6())
    let hasIPv6 = !settings.ipv6Pools.isEmpty
    if all, let bridge = settings.bridge {
      if Self.exists(bridge.name) { attempt { repair.others += try controls.set(bridge: bridge.name) } }
    } else if all {
      attempt {
        repair.others += try controls.set(
          uplink: settings.uplink, hasIPv6: hasIPv6, isProxied: !onLink.isEmpty, isProxied6: !onLink6.isEmpty)
      }
    }
    var wanted = KernelNetwork.wanted(settings, interfaces, onLink: onLink, onLink6: onLink6)
    var present = KernelNetwork()
    if all || interfaces.contains(where: { Self.exists($0.tap) }) { present = try KernelNetwork.read(settings) }
    wanted = wanted.withoutAbsentPairs(in: present)
    if !all {
      wanted = wanted.only(interfaces[0].tap, proxies: wanted.proxies)
      present = present.only(interfaces[0].tap, proxies: wanted.proxies)
    }
    let links = present.linkChanges(to: wanted)
    // One that has just been made by whoever started its container is nobody's fault.
    if !repair.isFilterLoaded,
      wanted.links.contains(where: { name, link in
        link.isPaired && present.links[name]?.hardwareAddress != link.hardwareAddress
      })
    {
      repair.isOwnChange = true
    }
    if !links.isEmpty {
      attempt { try KernelNetwork.apply(links) }
      repair.links += links.count
    }
    for interface in interfaces {
      attempt { repair.others += try SystemControls.set(ofTap: interface.tap, isPort: settings.bridge != nil) }
    }
    // A link that has just been made has no addresses, neighbours and routes, and to read them takes eight programs.
    let isNew = !all && present.links.isEmpty && settings.bridge == nil && wanted.proxies.isEmpty
    if !links.isEmpty, !isNew {
      present = try KernelNetwork.read(settings)
      if !all { present = present.only(interfaces[0].tap, proxies: wanted.proxies) }
    }
    let changes = present.changes(to: wanted, uplink: settings.uplink, pools: pools)
    attempt { try KernelNetwork.apply(changes) }
    let places = present.placeChanges(to: wanted)
    attempt { try KernelNetwork.apply(places, by: "bridge") }
    repair.others += changes.count + places.count
    if let problem { throw problem }
  }

  /// The commands that would bring them into the desired state, as typed in a shell.
  func changes(for interfaces: [RoutedInterface]) throws -> [String] {
    let present = try KernelNetwork.read(settings)
    let wanted = KernelNetwork.wanted(settings, interfaces, onLink: try onLink(), onLink6: try onLink6())
      .withoutAbsentPairs(in: present)
    let changes = present.linkChanges(to: wanted) + present.changes(to: wanted, uplink: settings.uplink, pools: pools)
    return changes.map { "ip \($0)" } + present.placeChanges(to: wanted).map { "bridge \($0)" }
  }

  /// Why no server can be reached, whatever else is right; nil where there is no such reason.
  var obstacle: String? {
    guard let bridge = settings.bridge else {
      if Self.exists(settings.uplink) { return nil }
      return
        "servers reach nobody outside: there is no uplink \(settings.uplink). Once there is one, start the service again."
    }
    guard Self.exists(bridge.name) else {
      return "servers reach nobody: there is no bridge \(bridge.name). Once there is one, they are ports of it again."
    }
    if access("/sys/class/net/\(bridge.name)/bridge", F_OK) != 0 {
      return "servers reach nobody: \(bridge.name) is no bridge"
    }
    if access(Self.bridgeControls, R_OK) != 0 {
      return
        "servers reach nobody: the kernel's br_netfilter is not loaded, without which nobody could hold them to their firewalls (modprobe br_netfilter)"
    }
    for family in ["iptables", "ip6tables"]
    where SystemControls.read("/sys/class/net/\(bridge.name)/bridge/nf_call_\(family)") != "1" {
      return "servers reach nobody: the packet filter is not shown the packets of \(bridge.name) (nf_call_\(family))"
    }
    return nil
  }

  /// Exists once the kernel passes bridged packets to the filters of all traffic (br_netfilter).
  private static let bridgeControls = "/proc/sys/net/bridge/bridge-nf-call-iptables"

  /// Removes all of them, and restores the host's settings that were changed.
  ///
  /// - Parameter filter: Removes the packet filter, once there is nothing left that it protects.
  func remove(_ filter: () throws -> Void) throws {
    let nothing = KernelNetwork()
    // Deleting the links also removes their addresses, neighbours and routes.
    try KernelNetwork.apply(try KernelNetwork.read(settings).linkChanges(to: nothing, sparesHeld: false))
    let others = try KernelNetwork.read(settings)
    try KernelNetwork.apply(others.changes(to: nothing, uplink: settings.uplink, pools: pools))
    try filter()
    try controls.restore()
  }

  private var pools: [IPNetwork] { (settings.poolNetworks + settings.poolNetworks6).compactMap { IPNetwork($0) } }

  /// The networks of the uplink's own link that overlap a pool: no router sends their packets to us, so the host must answer
  /// there for its servers.
  private func onLink() throws -> [ClosedRange<IPv4Address>] {
    if settings.bridge != nil || !Self.exists(settings.uplink) { return [] }
    let links: [AddressOutput] = try KernelNetwork.output("-4", "address", "show", "dev", settings.uplink)
    let own = links.flatMap { $0.addrInfo ?? [] }.compactMap { address -> ClosedRange<IPv4Address>? in
      guard let number = address.local.flatMap({ IPv4Address($0) })?.number, let length = address.prefixlen, length < 32
      else { return nil }
      let bits = UInt32.max >> UInt32(length)
      return IPv4Address(number: number & ~bits)...IPv4Address(number: number | bits)
    }
    return own.filter { network in settings.pools.contains { $0.ranges.contains { $0.overlaps(network) } } }
  }

  /// The same for IPv6, for pools of single addresses.
  private func onLink6() throws -> [IPNetwork] {
    let pools = settings.ipv6Pools.filter { !$0.givesNetworks }.compactMap { IPNetwork($0.description) }
    if settings.bridge != nil || pools.isEmpty || !Self.exists(settings.uplink) { return [] }
    let routes: [RouteOutput] = try KernelNetwork.output("-6", "route", "show", "dev", settings.uplink)
    return routes.filter { $0.gateway == nil && $0.type ?? "unicast" == "unicast" }.compactMap { IPNetwork($0.dst) }
      .filter { network in pools.contains { $0.contains(network) || network.contains($0) } }
  }

  /// Throws where a pool contains an unreserved address of the host or its router: a server with that address would cut the
  /// host off. To be called before anything is changed.
  func requireOwnAddressesAreReserved() throws {
    let links: [AddressOutput] = try KernelNetwork.output("-4", "address", "show")
    let routes: [RouteOutput] = try KernelNetwork.output("-4", "route", "show", "default")
    try requireOwnAddressesAreNoServers()
    let own = links.flatMap { $0.addrInfo ?? [] }.compactMap(\.local) + routes.compactMap(\.gateway)
    let gateway = HostNetworkSettings.gateway
    for address in own.compactMap({ IPv4Address($0) }) where address.description != gateway {
      guard settings.pools.contains(where: { $0.contains(address) }) else { continue }
      throw DriverError(
        .rejected, "\(address) is this host's own address or its router's, and in a pool of servers: reserved_addresses"
      )
    }
  }

  private func requireOwnAddressesAreNoServers() throws {
    let pools = settings.ipv6Pools.filter { !$0.givesNetworks }
    if pools.isEmpty { return }
    let links: [AddressOutput] = try KernelNetwork.output("-6", "address", "show")
    let routes: [RouteOutput] = try KernelNetwork.output("-6", "route", "show", "default")
    let own = links.flatMap { $0.addrInfo ?? [] }.compactMap(\.local) + routes.compactMap(\.gateway)
    for address in own.compactMap({ IPv6Network(given: $0) }) where pools.contains(where: { $0.contains(address) }) {
      throw DriverError(
        .rejected,
        "\(address) is this host's own address or its router's, and in address_pool6: take a part of that network in which it "
          + "is not, such as its second half")
    }
  }

  static func exists(_ link: String) -> Bool { if_nametoindex(link) != 0 }

  /// Whether the kernel sends packets for this one address to the link. Its route is what is added last.
  static func isRouted(_ address: IPv4Address, to link: String) -> Bool {
    let table = (try? String(contentsOfFile: "/proc/net/route", encoding: .utf8)) ?? ""
    let (destination, mask) = (String(address.number.byteSwapped, radix: 16, uppercase: true), "FFFFFFFF")
    return table.split(separator: "\n").contains { line in
      let words = line.split(separator: "\t")
      return words.count > 7 && words[0] == link && words[7] == mask
        && words[1] == String(repeating: "0", count: 8 - destination.count) + destination
    }
  }
}

extension KernelNetwork {
  /// The entries of one server.
  fileprivate func only(_ tap: String, proxies own: Set<String>) -> KernelNetwork {
    var network = KernelNetwork()
    network.proxies = proxies.intersection(own)
    network.links = links.filter { $0.key == tap }
    let isOf = { (text: String) in text.hasSuffix(" dev \(tap)") }
    network.places = places.filter { $0.contains(" dev \(tap)") }
    network.addresses = addresses.filter(isOf)
    network.neighbours = neighbours.filter(isOf)
    network.routes = routes.filter(isOf)
    return network
  }
}
