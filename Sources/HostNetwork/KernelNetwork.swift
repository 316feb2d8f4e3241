import Core
import Foundation
import HostPrograms

/// Our links, addresses, neighbours and routes in the kernel. They are read as a whole with the program `ip`, compared with the
/// desired state, and changed where they differ.
struct KernelNetwork {
  struct Link: Equatable {
    var isUp: Bool
    var mtu: Int
    var hardwareAddress: String
    /// Nil where the link is no port of a bridge.
    var port: BridgePort?
    /// Whether it is one of a pair, which somebody else makes.
    var isPaired = false
    /// Whether properties that cannot be changed later are right: the owner and the number of queues.
    var isSound: Bool

    func canBecome(_ wanted: Link) -> Bool { isSound && isPaired == wanted.isPaired }
  }

  var links: [String: Link] = [:]
  /// The taps that a QEMU has open, and the links whose other ends containers have.
  var held: Set<String> = []
  var addresses: Set<String> = []
  var neighbours: Set<String> = []
  var routes: Set<String> = []
  var proxies: Set<String> = []
  /// Where the bridge expects hardware addresses: entries of its forwarding database.
  var places: Set<String> = []

  /// - Parameter settings: Proxy entries are read from the uplink only.
  static func read(_ settings: HostNetworkSettings) throws -> KernelNetwork {
    var network = KernelNetwork()
    for link: LinkOutput in try output("-d", "link", "show") where link.ifname.hasPrefix(RoutedInterface.tapPrefix) {
      network.links[link.ifname] = Link(
        isUp: link.flags.contains("UP"), mtu: link.mtu, hardwareAddress: link.address ?? "", port: link.port,
        isPaired: link.isPaired, isSound: link.isPaired || link.linkinfo?.infoData?.isSound ?? true)
      if link.isPaired || link.flags.contains("LOWER_UP") { network.held.insert(link.ifname) }
    }
    for link: AddressOutput in try output("address", "show") where network.links[link.ifname ?? ""] != nil {
      for address in link.addrInfo ?? [] {
        network.addresses.insert("\(address.local ?? "")/\(address.prefixlen ?? 0) dev \(link.ifname ?? "")")
      }
    }
    for family in ["-4", "-6"] {
      for entry: NeighbourOutput in try output(family, "neighbour", "show", "nud", "permanent")
      where network.links[entry.dev ?? ""] != nil {
        network.neighbours.insert("\(entry.dst) lladdr \(entry.lladdr ?? "") dev \(entry.dev ?? "")")
      }
      for route: RouteOutput in try output(family, "route", "show", "protocol", HostNetworkSettings.routeProtocol) {
        network.routes.insert(route.text)
      }
      if settings.bridge != nil || if_nametoindex(settings.uplink) == 0 { continue }
      for entry: NeighbourOutput in try output(family, "neighbour", "show", "proxy", "dev", settings.uplink) {
        network.proxies.insert(entry.dst)
      }
    }
    if let bridge = settings.bridge, if_nametoindex(bridge.name) != 0 { network.places = try places(of: bridge) }
    return network
  }

  /// The desired state.
  ///
  /// - Parameter onLink: The networks of the uplink's own link in which the host answers for its servers; `onLink6` those of
  ///   IPv6.
  static func wanted(
    _ settings: HostNetworkSettings, _ interfaces: [RoutedInterface], onLink: [ClosedRange<IPv4Address>],
    onLink6: [IPNetwork] = []
  ) -> KernelNetwork {
    if let bridge = settings.bridge { return wanted(settings, interfaces, portsOf: bridge) }
    var network = KernelNetwork()
    let hasIPv6 = !settings.ipv6Pools.isEmpty
    for interface in interfaces {
      let tap = interface.tap
      network.links[tap] = Link(
        isUp: true, mtu: settings.mtu, hardwareAddress: HostNetworkSettings.gatewayHardwareAddress,
        isPaired: interface.link == .pair, isSound: true)
      network.addresses.insert("\(HostNetworkSettings.gateway)/32 dev \(tap)")
      let hop = interface.linkLocalAddress
      // A host may have no IPv6 at all.
      if hasIPv6 { network.addresses.insert("\(HostNetworkSettings.gateway6)/64 dev \(tap)") }
      for address in interface.addresses.map(\.description) + (hasIPv6 ? [hop] : []) {
        network.neighbours.insert("\(address) lladdr \(interface.hardwareAddress) dev \(tap)")
      }
      for address in interface.addresses { network.routes.insert("\(address) dev \(tap)") }
      for prefix in hasIPv6 ? interface.ipv6Networks : [] { network.routes.insert("\(prefix) via \(hop) dev \(tap)") }
      let answered = interface.addresses.filter { address in onLink.contains { $0.contains(address) } }
      network.proxies.formUnion(answered.map(\.description))
      // Only single addresses are proxied: the host cannot have an entry for each address of a network.
      let single = hasIPv6 ? interface.ipv6Networks.filter { !$0.isWhole }.map(\.description) : []
      network.proxies.formUnion(
        single.filter { text in IPAddress(text).map { address in onLink6.contains { $0.contains(address) } } ?? false })
    }
    // Without this, packets for unused addresses would loop between the host and its router.
    for pool in settings.poolNetworks + settings.poolNetworks6 {
      network.routes.insert("unreachable \(pool.hasSuffix("/32") ? String(pool.dropLast(3)) : pool)")
    }
    return network
  }

  /// This desired state without what is to be of links that are not there because their containers do not run.
  func withoutAbsentPairs(in present: KernelNetwork) -> KernelNetwork {
    let absent = links.filter { $1.isPaired && present.links[$0]?.isPaired != true }.map(\.key)
    if absent.isEmpty { return self }
    var network = self
    let ends = Set(absent)
    let isOfOthers = { (entry: String) in entry.split(separator: " ").last.map { !ends.contains(String($0)) } ?? true }
    network.links = links.filter { !ends.contains($0.key) }
    network.addresses = addresses.filter(isOfOthers)
    network.neighbours = neighbours.filter(isOfOthers)
    network.routes = routes.filter(isOfOthers)
    return network
  }

  /// Commands of `ip -batch` that bring the links into the desired state.
  ///
  /// - Parameter sparesHeld: Whether an unknown link that something is behind is kept. It passes no traffic, and if its server's
  ///   files are only missing for a moment, the server is not cut off for good.
  func linkChanges(to wanted: KernelNetwork, sparesHeld: Bool = true) -> [String] {
    var lines: [String] = []
    for (tap, link) in links.sorted(by: { $0.key < $1.key }) {
      let mayStay = wanted.links[tap].map { link.canBecome($0) } ?? (sparesHeld && held.contains(tap))
      if !mayStay { lines.append("link delete dev \(tap)") }
    }
    for (tap, link) in wanted.links.sorted(by: { $0.key < $1.key }) where links[tap]?.canBecome(link) != true {
      // Without an owner, every user of the host could open a tap that no QEMU has open.
      lines.append("tuntap add dev \(tap) mode tap vnet_hdr user 0 group 0")
      lines.append("link set dev \(tap) addrgenmode none")
    }
    // A change of the link removes its neighbours, addresses and routes, so these are made afterwards.
    for (tap, link) in wanted.links.sorted(by: { $0.key < $1.key }) where links[tap] != link {
      lines += BridgePort.changes(of: tap, from: links[tap].flatMap { $0.isSound ? $0.port : nil }, to: link.port)
      // Whoever has made it lets the kernel give it addresses.
      if link.isPaired { lines.append("link set dev \(tap) addrgenmode none") }
      lines.append("link set dev \(tap) address \(link.hardwareAddress) mtu \(link.mtu) txqueuelen 1000 up")
    }
    return lines
  }

  /// Commands that bring everything but the links into the desired state, once the links exist.
  func changes(to wanted: KernelNetwork, uplink: String, pools: [IPNetwork]) -> [String] {
    var lines: [String] = []
    let number = HostNetworkSettings.routeProtocol
    for route in routes.subtracting(wanted.routes).sorted() { lines.append("route delete \(route) protocol \(number)") }
    // Entries of an unknown tap stay: when its last address is removed, the kernel removes all its other entries.
    let isKnown = { (entry: String) in entry.split(separator: " ").last.map { wanted.links[String($0)] != nil } ?? false
    }
    for entry in neighbours.subtracting(wanted.neighbours).filter(isKnown).sorted() {
      lines.append("neighbour delete \(entry)")
    }
    for address in addresses.subtracting(wanted.addresses).filter(isKnown).sorted()
    where !address.hasPrefix("\(HostNetworkSettings.gateway6)/") {
      lines.append("address delete \(address)")
    }
    for address in wanted.addresses.subtracting(addresses).sorted() {
      lines.append("address replace \(address) \(address.hasPrefix("fe80") ? "nodad" : "scope link")")
    }
    for entry in wanted.neighbours.subtracting(neighbours).sorted() {
      lines.append("neighbour replace \(entry) nud permanent")
    }
    for route in wanted.routes.subtracting(routes).sorted() {
      let metric = route.hasPrefix("unreachable") ? " metric 4294967295" : ""
      lines.append("route replace \(route) protocol \(number)\(metric)")
    }
    for address in proxies.subtracting(wanted.proxies).sorted()
    where IPAddress(address).map({ address in pools.contains { $0.contains(address) } }) ?? false {
      lines.append("neighbour delete proxy \(address) dev \(uplink)")
    }
    for address in wanted.proxies.subtracting(proxies).sorted() {
      lines.append("neighbour add proxy \(address) dev \(uplink)")
    }
    return lines
  }
}

// MARK: - The program `ip`

extension KernelNetwork {
  static let limit: Duration = .seconds(30)

  static func output<Entry: Decodable>(of program: String = "ip", _ arguments: String...) throws -> [Entry] {
    let output = try HostProgram(program, ["-j"] + arguments, outputLimitBytes: 256 << 20).run(within: limit)
    let text = output.trimmingCharacters(in: .whitespacesAndNewlines)
    if text.isEmpty { return [] }
    do {
      // Some commands of `ip` print an empty element where nothing matches.
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      return try decoder.decode([Lenient<Entry>].self, from: Data(text.utf8)).compactMap(\.entry)
    } catch {
      throw DriverError(.rejected, "\(program) \(arguments.joined(separator: " ")): \(error)")
    }
  }

  /// Executes all lines; throws if any of them failed.
  static func apply(_ lines: [String], by program: String = "ip") throws {
    if lines.isEmpty { return }
    let input = Array((lines.joined(separator: "\n") + "\n").utf8)
    try HostProgram(program, ["-force", "-batch", "-"], input: input).run(within: limit)
  }
}

private struct Lenient<Entry: Decodable>: Decodable {
  let entry: Entry?
  init(from decoder: any Decoder) throws { entry = try? Entry(from: decoder) }
}

struct LinkOutput: Decodable {
  struct Information: Decodable {
    let infoKind: String?
    let infoData: Tap?
    let infoSlaveKind: String?
    let infoSlaveData: BridgePort.Output?
  }

  struct Tap: Decodable {
    let type: String?
    let user: String?
    let group: String?
    let multiQueue: Bool?
    let vnetHdr: Bool?
    let persist: Bool?
    var isSound: Bool {
      let root: Set = ["root", "0"]
      return type == "tap" && root.contains(user ?? "") && root.contains(group ?? "") && multiQueue != true
        && vnetHdr == true && persist == true
    }
  }

  let ifname: String
  let flags: [String]
  let mtu: Int
  let address: String?
  let linkinfo: Information?
  let master: String?

  var isPaired: Bool { linkinfo?.infoKind == "veth" }

  var port: BridgePort? {
    guard let master, linkinfo?.infoSlaveKind == "bridge" else { return nil }
    return BridgePort(bridge: master, linkinfo?.infoSlaveData)
  }
}

struct AddressOutput: Decodable {
  struct Address: Decodable {
    let family: String?
    let local: String?
    let prefixlen: Int?
    let scope: String?
  }

  let ifname: String?
  let addrInfo: [Address]?
}

struct NeighbourOutput: Decodable {
  let dst: String
  let dev: String?
  let lladdr: String?
}

struct RouteOutput: Decodable {
  let type: String?
  let dst: String
  let gateway: String?
  let dev: String?

  /// The route as an argument of `ip`.
  var text: String {
    if let type, type != "unicast" { return "\(type) \(dst)" }
    let hop = gateway.map { " via \($0)" } ?? ""
    return "\(dst)\(hop)\(dev.map { " dev \($0)" } ?? "")"
  }
}
