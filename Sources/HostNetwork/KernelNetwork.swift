import Core
import Foundation
import HostPrograms

/// What there is of ours in the kernel: links, addresses, neighbours and routes. Read as a whole by the program `ip`, compared
/// with what there should be, and changed where it differs.
struct KernelNetwork {
  struct Link: Equatable {
    var isUp: Bool
    var mtu: Int
    var hardwareAddress: String
    /// Nil where it is none of any bridge.
    var port: BridgePort?
    /// What cannot be changed later: who may open it, and how many queues it has.
    var isSound: Bool
  }

  var links: [String: Link] = [:]
  /// Those that a QEMU has open.
  var held: Set<String> = []
  var addresses: Set<String> = []
  var neighbours: Set<String> = []
  var routes: Set<String> = []
  var proxies: Set<String> = []
  /// Where the bridge finds hardware addresses.
  var places: Set<String> = []

  /// - Parameter settings: Proxy entries are looked for on the uplink.
  static func read(_ settings: HostNetworkSettings) throws -> KernelNetwork {
    var network = KernelNetwork()
    for link: LinkOutput in try output("-d", "link", "show") where link.ifname.hasPrefix(RoutedInterface.tapPrefix) {
      network.links[link.ifname] = Link(
        isUp: link.flags.contains("UP"), mtu: link.mtu, hardwareAddress: link.address ?? "", port: link.port,
        isSound: link.linkinfo?.infoData?.isSound ?? true)
      if link.flags.contains("LOWER_UP") { network.held.insert(link.ifname) }
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

  /// What there should be.
  ///
  /// - Parameter onLink: The networks of the uplink's own link, where the host answers for its servers; and those of IPv6.
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
        isUp: true, mtu: settings.mtu, hardwareAddress: HostNetworkSettings.gatewayHardwareAddress, isSound: true)
      network.addresses.insert("\(HostNetworkSettings.gateway)/32 dev \(tap)")
      let hop = interface.linkLocalAddress
      // A host may be without IPv6 altogether.
      if hasIPv6 { network.addresses.insert("\(HostNetworkSettings.gateway6)/64 dev \(tap)") }
      for address in interface.addresses.map(\.description) + (hasIPv6 ? [hop] : []) {
        network.neighbours.insert("\(address) lladdr \(interface.hardwareAddress) dev \(tap)")
      }
      for address in interface.addresses { network.routes.insert("\(address) dev \(tap)") }
      for prefix in hasIPv6 ? interface.ipv6Networks : [] { network.routes.insert("\(prefix) via \(hop) dev \(tap)") }
      let answered = interface.addresses.filter { address in onLink.contains { $0.contains(address) } }
      network.proxies.formUnion(answered.map(\.description))
      // A router that asks for each address of a network on the link cannot be answered for all of them.
      let single = hasIPv6 ? interface.ipv6Networks.filter { !$0.isWhole }.map(\.description) : []
      network.proxies.formUnion(
        single.filter { text in IPAddress(text).map { address in onLink6.contains { $0.contains(address) } } ?? false })
    }
    // Or what is for nobody would go to and fro between the host and its router.
    for pool in settings.poolNetworks + settings.poolNetworks6 {
      network.routes.insert("unreachable \(pool.hasSuffix("/32") ? String(pool.dropLast(3)) : pool)")
    }
    return network
  }

  /// Commands of `ip -batch` that make the links what they should be.
  ///
  /// - Parameter sparesHeld: Whether a tap that nobody knows of, and that a QEMU has open, stays. It passes nothing, and whoever
  ///   misses its server's files for a moment does not cut it off for good.
  func linkChanges(to wanted: KernelNetwork, sparesHeld: Bool = true) -> [String] {
    var lines: [String] = []
    for (tap, link) in links.sorted(by: { $0.key < $1.key }) {
      if wanted.links[tap] == nil ? !(sparesHeld && held.contains(tap)) : !link.isSound {
        lines.append("link delete dev \(tap)")
      }
    }
    for tap in wanted.links.keys.sorted() where links[tap]?.isSound != true {
      // Without an owner every user of the host could open one that no QEMU holds.
      lines.append("tuntap add dev \(tap) mode tap vnet_hdr user 0 group 0")
      lines.append("link set dev \(tap) addrgenmode none")
    }
    // It takes neighbours, addresses and routes with it, so these come after it.
    for (tap, link) in wanted.links.sorted(by: { $0.key < $1.key }) where links[tap] != link {
      lines += BridgePort.changes(of: tap, from: links[tap].flatMap { $0.isSound ? $0.port : nil }, to: link.port)
      lines.append("link set dev \(tap) address \(link.hardwareAddress) mtu \(link.mtu) txqueuelen 1000 up")
    }
    return lines
  }

  /// Those that make the rest what it should be, once the links are there.
  func changes(to wanted: KernelNetwork, uplink: String, pools: [IPNetwork]) -> [String] {
    var lines: [String] = []
    let number = HostNetworkSettings.routeProtocol
    for route in routes.subtracting(wanted.routes).sorted() { lines.append("route delete \(route) protocol \(number)") }
    // What is on a tap that nobody knows of stays on it: with its last address the kernel would take the rest away.
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
      // Where nothing matches, some of its commands write an empty element.
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      return try decoder.decode([Lenient<Entry>].self, from: Data(text.utf8)).compactMap(\.entry)
    } catch {
      throw DriverError(.rejected, "\(program) \(arguments.joined(separator: " ")): \(error)")
    }
  }

  /// All of the lines are tried; throws what went wrong with any of them.
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

  /// As `ip` takes it.
  var text: String {
    if let type, type != "unicast" { return "\(type) \(dst)" }
    let hop = gateway.map { " via \($0)" } ?? ""
    return "\(dst)\(hop)\(dev.map { " dev \($0)" } ?? "")"
  }
}
