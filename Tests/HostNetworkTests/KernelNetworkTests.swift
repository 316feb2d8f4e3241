import Core
import Testing

@testable import HostNetwork

@Suite("The links of servers, as they are and as they are to be")
struct KernelNetworkTests {
  private static let settings = HostNetworkSettings(
    uplink: "eth0", mtu: 1500, pools: [AddressPool("203.0.113.0/26")!], ipv6Pools: [IPv6Pool("2001:db8:10::/56")!],
    nameServers: [IPAddress("9.9.9.9")!])

  private static func interface(_ number: UInt64, _ link: RoutedInterface.Link) -> RoutedInterface {
    var interface = RoutedInterface(
      hardwareAddress: HardwareAddress(number: 0x56_0000_0000_00 + number),
      addresses: [IPv4Address("203.0.113.\(number)")!], ipv6Networks: [IPv6Network("2001:db8:10:\(number)::/64")!],
      firewall: .disabled)
    interface.link = link
    return interface
  }

  private static func wanted(_ interfaces: RoutedInterface...) -> KernelNetwork {
    KernelNetwork.wanted(settings, interfaces, onLink: [])
  }

  private static func present(_ tap: String, isPaired: Bool, isSound: Bool = true) -> KernelNetwork {
    var network = KernelNetwork()
    network.links[tap] = .init(
      isUp: true, mtu: 1500, hardwareAddress: "0a:00:00:00:00:01", isPaired: isPaired, isSound: isSound)
    return network
  }

  @Test(
    "A tap is made where there is none; a pair is not, and without one nothing of it is wanted but what leads nowhere")
  func absent() {
    let (tap, pair) = (Self.interface(1, .tap), Self.interface(2, .pair))
    let wanted = Self.wanted(tap, pair).withoutAbsentPairs(in: KernelNetwork())
    let lines = KernelNetwork().linkChanges(to: wanted)
    #expect(lines.contains("tuntap add dev \(tap.tap) mode tap vnet_hdr user 0 group 0"))
    let all = lines + KernelNetwork().changes(to: wanted, uplink: "eth0", pools: [])
    #expect(all.contains { $0.contains(tap.tap) } && !all.contains { $0.contains(pair.tap) }, "\(all)")
    #expect(all.contains { $0.hasPrefix("route replace unreachable 203.0.113.0/26") })
  }

  @Test("A pair that has come gets what a tap has, and no address of the kernel's")
  func come() {
    let pair = Self.interface(2, .pair)
    let present = Self.present(pair.tap, isPaired: true)
    let wanted = Self.wanted(pair).withoutAbsentPairs(in: present)
    #expect(
      present.linkChanges(to: wanted) == [
        "link set dev \(pair.tap) addrgenmode none",
        "link set dev \(pair.tap) address 02:00:5e:00:01:01 mtu 1500 txqueuelen 1000 up",
      ])
    let tap = Self.wanted(Self.interface(2, .tap))
    #expect(wanted.addresses == tap.addresses && wanted.routes == tap.routes && wanted.neighbours == tap.neighbours)
  }

  @Test("What has the name of a server's link and is of another kind goes; what is behind a link nobody knows stays")
  func others() {
    let (tap, pair) = (Self.interface(1, .tap), Self.interface(2, .pair))
    let worn = Self.present(tap.tap, isPaired: true)
    let lines = worn.linkChanges(to: Self.wanted(tap).withoutAbsentPairs(in: worn))
    #expect(
      lines.prefix(2) == ["link delete dev \(tap.tap)", "tuntap add dev \(tap.tap) mode tap vnet_hdr user 0 group 0"])
    let other = Self.present(pair.tap, isPaired: false)
    #expect(other.linkChanges(to: Self.wanted(pair).withoutAbsentPairs(in: other)) == ["link delete dev \(pair.tap)"])
    var stranger = Self.present("vpsdstranger", isPaired: true)
    stranger.held = ["vpsdstranger"]
    #expect(stranger.linkChanges(to: KernelNetwork()).isEmpty)
    #expect(stranger.linkChanges(to: KernelNetwork(), sparesHeld: false) == ["link delete dev vpsdstranger"])
  }

  @Test("A guest is told its addresses with their gateways, further ones beside, and its name servers")
  func guest() throws {
    let interface = NetworkInterface(
      address: try #require(IPv4Address("203.0.113.5")), furtherAddresses: [try #require(IPv4Address("203.0.113.6"))],
      ipv6Networks: [try #require(IPv6Network("2001:db8:10:5::/64"))], revision: 3)
    let guest = Self.settings.guestNetwork(of: interface)
    #expect(
      guest.settings.map { "\($0.key)=\($0.value)" } == [
        "ADDRESS4=203.0.113.5/32", "GATEWAY4=169.254.1.1", "ADDRESS6=2001:db8:10:5::1/64", "GATEWAY6=fe80::1",
        "DNS=\"9.9.9.9\"", "ADDRESSES=\"203.0.113.6/32\"", "REVISION=3",
      ])
    #expect(guest.arguments == ["203.0.113.5/32", "169.254.1.1", "2001:db8:10:5::1/64", "fe80::1", "203.0.113.6/32"])
  }

  @Test("A server that was made at the loopback has no card of a routed network")
  func loopback() throws {
    let interface = NetworkInterface(address: try #require(IPv4Address("127.90.0.5")))
    #expect(throws: DriverError.self) {
      try RoutedInterface(of: interface, HardwareAddress(number: 0x56_0000_0000_01), link: .pair)
    }
  }
}
