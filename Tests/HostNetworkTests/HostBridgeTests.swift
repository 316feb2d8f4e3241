import Core
import Foundation
import Testing

@testable import HostNetwork

@Suite("What a server on a bridge is in the host's words")
struct HostBridgeTests {
  private let interface = RoutedInterface(
    hardwareAddress: HardwareAddress("56:0a:1b:2c:3d:4e")!, addresses: [IPv4Address("203.0.113.10")!],
    ipv6Networks: [IPv6Network(given: "2001:db8:0:0:8000::5")!], firewall: .disabled)

  @Test(
    "A gateway is the address of a router, with or without the network that is reached without it",
    arguments: [
      ("203.0.113.1", "203.0.113.1", nil), ("203.0.113.1/24", "203.0.113.1/24", "203.0.113.0/24"),
      ("10.77.3.9/9", "10.77.3.9/9", "10.0.0.0/9"), ("fe80::1", "fe80::1", nil),
      ("2001:db8:0:10::1/64", "2001:db8:0:10::1/64", "2001:db8:0:10::/64"),
      ("2001:db8:10:ffff::1/50", "2001:db8:10:ffff::1/50", "2001:db8:10:c000::/50"),
    ] as [(String, String, String?)])
  func gateways(_ text: String, _ description: String, _ network: String?) throws {
    let gateway = try #require(LinkGateway(text))
    #expect(gateway.description == description)
    #expect(gateway.network?.description == network)
  }

  @Test(
    "What is no router's address is no gateway",
    arguments: [
      "", "br0", "203.0.113.1/", "203.0.113.1/32", "203.0.113.1/7", "203.0.113.1/+24", "203.0.113.1/24/24", "127.0.0.1",
      "0.0.0.0", "224.0.0.1", "::", "::1", "ff02::1", "2001:db8::1/128", "2001:db8::1/8", "fe80::1%eth0",
      "203.0.113.1; reboot",
    ])
  func noGateways(_ text: String) {
    #expect(LinkGateway(text) == nil)
  }

  @Test("An address goes with the gateway in whose network it is, else with one that is for all of its family")
  func choice() throws {
    let gateways = try ["203.0.113.1/24", "198.51.100.1", "fe80::1"].map { try #require(LinkGateway($0)) }
    func gateway(_ text: String) -> String? { IPAddress(text).flatMap { gateways.gateway(of: $0) }?.description }
    #expect(gateway("203.0.113.9") == "203.0.113.1/24")
    #expect(gateway("192.0.2.9") == "198.51.100.1")
    #expect(gateway("2001:db8::9") == "fe80::1")
    #expect(Array(gateways.prefix(1)).gateway(of: IPAddress("192.0.2.9")!) == nil)
  }

  @Test("A tap has a higher address than any card, and a change of addresses is these alone, in both tables")
  func rules() {
    #expect(interface.portHardwareAddress == "fe:0a:1b:2c:3d:4e")
    let new = RoutedInterface(
      hardwareAddress: interface.hardwareAddress, addresses: [IPv4Address("203.0.113.11")!],
      ipv6Networks: interface.ipv6Networks, firewall: .disabled)
    let card = "\"vpsd0a1b2c3d4e\" . 56:0a:1b:2c:3d:4e"
    #expect(
      ServerRules(isBridged: true).change(from: interface, to: new).split(separator: "\n").sorted() == [
        "add element bridge vpsd address4 { 203.0.113.11 }",
        "add element bridge vpsd source4 { \(card) . 203.0.113.11 }",
        "add element inet vpsd address4 { 203.0.113.11 }", "delete element bridge vpsd address4 { 203.0.113.10 }",
        "delete element bridge vpsd source4 { \(card) . 203.0.113.10 }",
        "delete element inet vpsd address4 { 203.0.113.10 }",
      ])
    let addition = ServerRules(isBridged: true).addition(of: interface)
    for line in [
      "bridge vpsd targets { \"vpsd0a1b2c3d4e\" . 0x20010db8000000008000000000000005 }",
      "bridge vpsd targets { \"vpsd0a1b2c3d4e\" . 0xfe80000000000000540a1bfffe2c3d4e }",
      "bridge vpsd options { \"vpsd0a1b2c3d4e\" . 0x560a1b2c3d4e }", "inet vpsd cards { 56:0a:1b:2c:3d:4e }",
      "inet vpsd ingress { 56:0a:1b:2c:3d:4e : goto vpsd0a1b2c3d4e-in }",
    ] { #expect(addition.contains("add element \(line)\n"), "\(line)") }
  }
}
