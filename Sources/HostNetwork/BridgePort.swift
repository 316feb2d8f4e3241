import Core

/// The state of a server's tap as a port of a bridge.
struct BridgePort: Equatable {
  let bridge: String
  let isIsolated: Bool
  /// Whether all other settings of the port are as we set them.
  let isSound: Bool

  /// The port's settings as `ip -json` prints them.
  struct Output: Decodable {
    let learning: Bool?
    let flood: Bool?
    let bcastFlood: Bool?
    let mcastFlood: Bool?
    let hairpin: Bool?
    let `guard`: Bool?
    let multicastRouter: Int?
    let isolated: Bool?

    /// Nothing is learned from a guest, and no frame for an unknown address is sent to it. It receives broadcast and all
    /// multicast, so that neighbours can find it without membership reports. It takes no part in the bridge's spanning tree.
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

  /// The `ip` commands for the change. The tap stays down until it has all its settings.
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
  /// While the bridge does not exist, no tap is a port.
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

  /// Where the bridge expects the hardware addresses of our ports. An entry that can age out, or that others on the link could
  /// take over, is marked as loose.
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
