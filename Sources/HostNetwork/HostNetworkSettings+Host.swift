package import Core
import Foundation
import HostPrograms

/// Settings that are derived from this host.
extension HostNetworkSettings {
  /// The link of the default route; nil where there is none.
  package static func defaultUplink() throws -> String? {
    for family in ["-4", "-6"] {
      let routes: [RouteOutput] = try KernelNetwork.output(family, "route", "show", "default")
      if let device = routes.lazy.compactMap(\.dev).first(where: { $0 != "lo" }) { return device }
    }
    return nil
  }

  /// The global IPv4 addresses of a link, its first one first.
  static func addresses(of link: String) throws -> [IPv4Address] {
    if if_nametoindex(link) == 0 { return [] }
    let links: [AddressOutput] = try KernelNetwork.output("-4", "address", "show", "dev", link, "scope", "global")
    return links.flatMap { $0.addrInfo ?? [] }.compactMap(\.local).compactMap { IPv4Address($0) }
  }

  /// Whether this host itself has the address, or one in the network.
  package static func isOwn(_ address: ServerAddress) throws -> Bool {
    let family = address.family == .ipv4 ? "-4" : "-6"
    let own: [RouteOutput] = try KernelNetwork.output(family, "route", "show", "table", "local", "type", "local")
    let given = IPNetwork(address.description)
    return own.compactMap { IPNetwork($0.dst) }.contains { own in
      given.map { $0.contains(own) || own.contains($0) } ?? true
    }
  }

  /// The MTU of a link in bytes; nil where there is no such link.
  package static func mtu(of link: String) throws -> Int? {
    if if_nametoindex(link) == 0 { return nil }
    let links: [LinkOutput] = try KernelNetwork.output("-d", "link", "show", "dev", link)
    return links.first?.mtu
  }

  /// At most three name servers that the host uses and guests can reach. A resolver on the host's own loopback forwards to
  /// others; those of systemd-resolved are in its file.
  package static func nameServers(
    files: [String] = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"]
  ) -> [IPAddress] {
    // Guests cannot reach services on the host itself.
    let links: [AddressOutput] = (try? KernelNetwork.output("address", "show")) ?? []
    let own = Set(links.flatMap { $0.addrInfo ?? [] }.compactMap(\.local).compactMap { IPAddress($0) })
    for file in files {
      let text = String(decoding: (FileManager.default.contents(atPath: file) ?? Data()).prefix(65_536), as: UTF8.self)
      let servers = text.split(separator: "\n").compactMap { line -> IPAddress? in
        let words = line.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count >= 2, words[0] == "nameserver" else { return nil }
        return IPAddress(words[1])
      }
      let reachable = servers.filter { server in
        !Self.local.contains { $0.contains(server) } && !own.contains(server)
      }
      if !reachable.isEmpty { return Array(reachable.prefix(3)) }
    }
    return []
  }

  private static let local = ["127.0.0.0/8", "::1/128", "169.254.0.0/16", "fe80::/10", "0.0.0.0/8", "::/128"].compactMap
  {
    IPNetwork($0)
  }
}
