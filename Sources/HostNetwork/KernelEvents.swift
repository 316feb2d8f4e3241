import Core
import Foundation
import HostPrograms
import PrivateFiles

/// Tells when links, addresses, routes, forwarding or packet filters of this host have been changed, by us or anybody else.
/// Neighbours change all the time, and are left to the next regular check.
final class KernelEvents: Sendable {
  /// NETLINK_NETFILTER with the group of nftables; NETLINK_ROUTE with the groups of links, addresses, routes and forwarding.
  private let sockets: [Int32]

  private enum Netlink {
    static let family: Int32 = 16
    static let route: Int32 = 0
    static let netfilter: Int32 = 12
    static let option: Int32 = 270
    static let addMembership: Int32 = 1
    static let nftables: UInt32 = 7
    /// RTNLGRP_LINK, _IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR, _IPV6_ROUTE, _IPV4_NETCONF, _IPV6_NETCONF.
    static let routing: [UInt32] = [1, 5, 7, 9, 11, 24, 25]
  }

  /// - Parameter ofFilter: Whether to listen to changes of packet filters only.
  init(ofFilter: Bool = false) throws {
    let filter = try Self.socket(Netlink.netfilter, groups: [Netlink.nftables])
    do {
      sockets = [filter] + (ofFilter ? [] : [try Self.socket(Netlink.route, groups: Netlink.routing)])
    } catch {
      close(filter)
      throw error
    }
  }

  deinit { for descriptor in sockets { close(descriptor) } }

  private static func socket(_ netlink: Int32, groups: [UInt32]) throws -> Int32 {
    let type = Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let descriptor = Foundation.socket(Netlink.family, type, netlink)
    guard descriptor >= 0, bind(descriptor) else {
      let error = HostError.last("listen to the kernel")
      close(descriptor)
      throw error
    }
    for group in groups {
      var group = group
      let size = socklen_t(MemoryLayout<UInt32>.size)
      guard setsockopt(descriptor, Netlink.option, Netlink.addMembership, &group, size) == 0 else {
        let error = HostError.last("listen to the kernel's group \(group)")
        close(descriptor)
        throw error
      }
    }
    return descriptor
  }

  /// Binds to a port ID that the kernel chooses. A socket without one does not receive events of the kernel's own changes.
  private static func bind(_ descriptor: Int32) -> Bool {
    // sockaddr_nl: family, port ID 0 and no groups.
    var address: [UInt8] = [UInt8(Netlink.family), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    return address.withUnsafeMutableBytes { bytes in
      Foundation.bind(descriptor, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        == 0
    }
  }

  /// Returns whether anything happened. Events in the following `moments` count as the same one. Blocks.
  func wait(within limit: Duration, settling moments: Duration = .milliseconds(10)) -> Bool {
    let deadline = ContinuousClock.now + limit
    var sources = sockets.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    while let remaining = deadline.remainingMilliseconds {
      guard poll(&sources, nfds_t(sources.count), remaining) > 0 else { continue }
      poll(nil, 0, Int32(moments.milliseconds))
      drain()
      return true
    }
    return false
  }

  /// Discards pending events: a look at the network after this sees their changes.
  func drain() {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    for descriptor in sockets {
      // ENOBUFS means that events were lost, which counts as an event.
      while recv(descriptor, &buffer, buffer.count, 0) > 0 || errno == ENOBUFS {}
    }
  }
}
