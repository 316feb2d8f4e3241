import Core

/// What a server's tap is as a port of a bridge.
struct BridgePort: Equatable {
  let bridge: String
  let isIsolated: Bool
  /// Whether all else of it is as we set it.
  let isSound: Bool

  /// As `ip` tells it.
  struct Output: Decodable {
    let learning: Bool?
    let flood: Bool?
    let bcastFlood: Bool?
    let mcastFlood: Bool?
    let hairpin: Bool?
    let `guard`: Bool?
    let multicastRouter: Int?
    let isolated: Bool?

    /// Nothing is learned from a guest and nothing unknown sent to it; it hears those who ask for their neighbours, whether it has
    /// told of its groups or not; and it has no part in the bridge's spanning tree.
    fileprivate static let settings =
      "learning off flood off bcast_flood on mcast_flood on mcast_router 2 hairpin off guard on"
    fileprivate var isAsSet: Bool {
      learning == false && flood == false && bcastFlood == true && mcastFlood == true && multicastRouter == 2
        && hairpin == false && self.guard == true
    }
  }

  init(bridge: String, isIsolated: Bool) {
    (self.bridge, self.isIsolated, isSound) = (bridge, isIsolated, true)
  }

  init(bridge: String, _ output: Output?) {
    (self.bridge, isIsolated, isSound) = (bridge, output?.isolated ?? false, output?.isAsSet ?? false)
  }

  /// It passes nothing before it is what it should be.
  static func changes(of tap: String, from earlier: BridgePort?, to wanted: BridgePort?) -> [String] {
    if earlier == wanted { return [] }
    guard let wanted else { return ["link set dev \(tap) nomaster"] }
    return [
      "link set dev \(tap) down", "link set dev \(tap) master \(wanted.bridge)",
      "link set dev \(tap) type bridge_slave \(Output.settings) isolated \(wanted.isIsolated ? "on" : "off")",
    ]
  }
}

extension KernelNetwork {
  /// Of one that is not there, or is no bridge, nobody is a port.
  static func wanted(
    _ settings: HostNetworkSettings, _ interfaces: [RoutedInterface], portsOf bridge: HostBridge
  ) -> KernelNetwork {
    var network = KernelNetwork()
    let port = HostLinks.exists(bridge.name) ? BridgePort(bridge: bridge.name, isIsolated: bridge.isIsolating) : nil
    for interface in interfaces {
      network.links[interface.tap] = Link(
        isUp: true, mtu: settings.mtu, hardwareAddress: interface.portHardwareAddress, port: port, isSound: true)
      if port != nil { network.places.insert("\(interface.hardwareAddress) dev \(interface.tap)") }
    }
    return network
  }

  /// Where the bridge takes our ports' hardware addresses to be. An entry that it gives up by itself, or that somebody else on the
  /// link could take away, is told as a loose one.
  static func places(of bridge: HostBridge) throws -> Set<String> {
    let entries: [PlaceOutput] = try output(of: "bridge", "fdb", "show", "br", bridge.name)
    return Set(
      entries.compactMap { entry in
        guard let link = entry.ifname, link.hasPrefix(RoutedInterface.tapPrefix), entry.master == bridge.name,
          entry.state != "permanent"
        else { return nil }
        let isFirm = entry.state == "static" && entry.flags?.contains("sticky") == true
        return "\(entry.mac) dev \(link)\(isFirm ? "" : loose)"
      })
  }

  private static let loose = " loose"

  /// Commands of `bridge -batch`.
  func placeChanges(to wanted: KernelNetwork) -> [String] {
    places.subtracting(wanted.places).sorted().map { "fdb delete \($0.replacing(Self.loose, with: "")) master" }
      + wanted.places.subtracting(places).sorted().map { "fdb replace \($0) master static sticky" }
  }
}

private struct PlaceOutput: Decodable {
  let mac: String
  let ifname: String?
  let flags: [String]?
  let master: String?
  let state: String?
}
