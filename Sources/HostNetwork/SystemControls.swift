import Foundation
import PrivateFiles

/// The kernel's network settings. Those of the whole host are recorded before they are changed, so that they can be restored.
struct SystemControls {
  /// One line for each setting: its name, and its value before.
  let recordPath: String

  private static let root = "/proc/sys/net"
  /// For settings whose names begin with `linkNames`, which no setting below `root` does.
  private static let linkRoot = "/sys/"
  private static let linkNames = "class/net/"
  private static let ofTap = [
    "ipv4/conf/TAP/proxy_arp": "0", "ipv4/conf/TAP/accept_redirects": "0", "ipv4/conf/TAP/send_redirects": "0",
    "ipv4/conf/TAP/accept_source_route": "0", "ipv4/conf/TAP/rp_filter": "1", "ipv4/conf/TAP/arp_ignore": "0",
    "ipv4/conf/TAP/forwarding": "1", "ipv6/conf/TAP/accept_ra": "0", "ipv6/conf/TAP/accept_redirects": "0",
    "ipv6/conf/TAP/accept_dad": "0", "ipv6/conf/TAP/dad_transmits": "0", "ipv6/conf/TAP/forwarding": "1",
    "ipv6/conf/TAP/proxy_ndp": "0",
  ]

  /// For a port of a bridge, in which the host itself has no part.
  private static let ofPort = [
    "ipv4/conf/TAP/arp_ignore": "8", "ipv4/conf/TAP/forwarding": "0", "ipv6/conf/TAP/disable_ipv6": "1",
  ]

  /// Returns how many settings were changed.
  static func set(ofTap tap: String, isPort: Bool) throws -> Int {
    var count = 0
    for (name, value) in isPort ? ofPort : ofTap {
      let path = "\(root)/\(name.replacing("TAP", with: tap))"
      // A kernel without IPv6 has no such settings.
      guard let current = read(path), current != value else { continue }
      try write(value, to: path)
      count += 1
    }
    return count
  }

  /// The settings for forwarding packets. IPv4 is forwarded by link. IPv6 is forwarded as a whole, which would by default stop
  /// the host from taking its own route from a router advertisement.
  func set(uplink: String, hasIPv6: Bool, isProxied: Bool, isProxied6: Bool = false) throws -> Int {
    var values = ["ipv4/conf/\(uplink)/forwarding": "1"]
    if hasIPv6 {
      values["ipv6/conf/all/forwarding"] = "1"
      if Self.read("\(Self.root)/ipv6/conf/\(uplink)/accept_ra") == "1" {
        values["ipv6/conf/\(uplink)/accept_ra"] = "2"
      }
    }
    if isProxied {
      values["ipv4/neigh/\(uplink)/proxy_delay"] = "0"
    }
    if isProxied6 {
      values["ipv6/conf/\(uplink)/proxy_ndp"] = "1"
      values["ipv6/neigh/\(uplink)/proxy_delay"] = "0"
    }
    // `accept_ra` comes first, because forwarding ends the acceptance at once.
    return try set(values.sorted { $0.key.contains("accept_ra") && !$1.key.contains("accept_ra") })
  }

  /// Passes the packets of one bridge to the filters of all traffic, whatever is set for other bridges.
  func set(bridge: String) throws -> Int {
    try set(["iptables", "ip6tables"].map { ("\(Self.linkNames)\(bridge)/bridge/nf_call_\($0)", "1") })
  }

  private static func path(_ name: String) -> String {
    name.hasPrefix(linkNames) ? linkRoot + name : "\(root)/\(name)"
  }

  private func set(_ values: [(String, String)]) throws -> Int {
    var count = 0
    for (name, value) in values {
      let path = Self.path(name)
      guard let current = Self.read(path), current != value else { continue }
      try record(name, current)
      try Self.write(value, to: path)
      count += 1
    }
    return count
  }

  /// Restores the recorded settings.
  func restore() throws {
    for (name, value) in recorded() where Self.read(Self.path(name)) != nil {
      try Self.write(value, to: Self.path(name))
    }
    guard unlink(recordPath) == 0 || errno == ENOENT else { throw HostError.last("remove \(recordPath)") }
  }

  /// Only the first record of a setting counts: later values are our own.
  private func record(_ name: String, _ value: String) throws {
    let earlier = recorded()
    if earlier.contains(where: { $0.name == name }) { return }
    let lines = (earlier + [(name, value)]).map { "\($0.name) \($0.value)\n" }
    try PrivateFile.write(Array(lines.joined().utf8), to: recordPath)
  }

  private func recorded() -> [(name: String, value: String)] {
    let text = String(decoding: FileManager.default.contents(atPath: recordPath) ?? Data(), as: UTF8.self)
    return text.split(separator: "\n").compactMap { line in
      let parts = line.split(separator: " ")
      guard parts.count == 2, !parts[0].contains(".."), !parts[0].hasPrefix("/") else { return nil }
      return (String(parts[0]), String(parts[1]))
    }
  }

  static func read(_ path: String) -> String? {
    // Foundation would ask for the file's size, which files in /proc do not have.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = Foundation.read(descriptor, &buffer, buffer.count)
    guard count > 0 else { return nil }
    return String(decoding: buffer.prefix(count), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func write(_ value: String, to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw HostError.last("open \(path)") }
    defer { close(descriptor) }
    let text = Array(value.utf8)
    guard Foundation.write(descriptor, text, text.count) == text.count else { throw HostError.last("write \(path)") }
  }
}
