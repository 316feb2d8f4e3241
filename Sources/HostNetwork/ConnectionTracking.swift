import Core
import HostPrograms

/// What the kernel remembers of connections. An answer to one that is known passes before any firewall is asked, so what was
/// somebody's address must be forgotten before it is somebody else's.
enum ConnectionTracking {
  private static let nothingFound = "0 flow entries have been deleted"

  /// - Parameter addresses: Or networks, whose connections end.
  static func forget(_ addresses: [String]) throws {
    for address in addresses {
      // One that opened or took a connection is in its first words; but one to a port of the host that leads to it is in the answer's.
      // That one is no network: ports lead to addresses only.
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
