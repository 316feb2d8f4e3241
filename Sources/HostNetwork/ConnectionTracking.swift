import Core
import Foundation
import HostPrograms

/// The kernel's table of connections. A reply in a known connection passes before any firewall is asked, so the connections of
/// an address must be forgotten before another server gets the address.
enum ConnectionTracking {
  /// Whether the table is known to be empty. Then many servers that are new at once need no program for each address.
  private static var isEmpty: Bool {
    let count = try? String(contentsOfFile: "/proc/sys/net/netfilter/nf_conntrack_count", encoding: .utf8)
    return count?.trimmingCharacters(in: .whitespacesAndNewlines) == "0"
  }

  private static let nothingFound = "0 flow entries have been deleted"

  /// - Parameter addresses: Addresses or networks whose connections end.
  static func forget(_ addresses: [String]) throws {
    if addresses.isEmpty || isEmpty { return }
    for address in addresses {
      // A server's own connections have its address in their original direction; those through a forwarded port of the host
      // have it only as the source of replies. Ports lead to single addresses, never to networks.
      let ends = ["--orig-src", "--orig-dst"] + (address.contains("/") ? [] : ["--reply-src"])
      for end in ends {
        do {
          try HostProgram(
            "conntrack", ["--delete", "--family", address.contains(":") ? "ipv6" : "ipv4", end, address]
          ).run(within: .seconds(30))
        } catch let error as DriverError where error.detail.contains(nothingFound) {
          continue
        }
      }
    }
  }
}
