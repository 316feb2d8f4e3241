import Foundation

/// A request to the kernel about its packet filters that is answered at once with a single message.
struct FilterQuestion {
  struct Answer {
    fileprivate let bytes: [UInt8]

    /// The bytes after the headers of netlink and nfnetlink.
    var attributes: ArraySlice<UInt8> { bytes.dropFirst(20) }
    /// Whether it is a message of NFNL_SUBSYS_NFTABLES.
    var isOfTables: Bool { bytes[5] == FilterQuestion.subsystem }
    var kind: UInt8 { bytes[4] }
    /// The error number of an NLMSG_ERROR; nil for any other answer.
    var errorNumber: Int32? {
      guard bytes[4] == 2, bytes[5] == 0 else { return nil }
      return -bytes[16..<20].reversed().reduce(Int32(0)) { $0 << 8 | Int32($1) }
    }
  }

  private static let subsystem: UInt8 = 10

  /// NFT_MSG_…
  let kind: UInt8
  /// NFPROTO_…
  var family: UInt8 = 0
  /// In netlink's format, each padded to a multiple of four bytes.
  var attributes: [UInt8] = []

  /// Nil where the kernel does not answer.
  func answer() -> Answer? {
    // AF_NETLINK, NETLINK_NETFILTER.
    let descriptor = socket(16, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 12)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    // nlmsghdr: length, message type, NLM_F_REQUEST, sequence number 0, port ID 0; nfgenmsg: family.
    let header: [UInt8] = [UInt8(20 + attributes.count), 0, 0, 0, kind, Self.subsystem, 1, 0]
    let request = header + [UInt8](repeating: 0, count: 8) + [family, 0, 0, 0] + attributes
    guard send(descriptor, request, request.count, 0) == request.count else { return nil }
    var source = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&source, 1, 1000) > 0 else { return nil }
    var reply = [UInt8](repeating: 0, count: 4096)
    let count = recv(descriptor, &reply, reply.count, 0)
    return count >= 20 ? Answer(bytes: Array(reply.prefix(count))) : nil
  }
}
