import Foundation

/// A number that the kernel counts up with each transaction of nftables, whoever's it is: where it is what it was, so are all
/// packet filters of this host.
struct RuleGeneration: Equatable, Sendable {
  private let number: UInt32

  /// That of the next transaction.
  var next: RuleGeneration { RuleGeneration(number: number == .max ? 1 : number + 1) }

  private init(number: UInt32) {
    self.number = number
  }

  /// Nil where the kernel does not tell.
  static var current: RuleGeneration? {
    // AF_NETLINK, NETLINK_NETFILTER.
    let descriptor = socket(16, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 12)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    // nlmsghdr: the length, NFT_MSG_GETGEN of NFNL_SUBSYS_NFTABLES, NLM_F_REQUEST, no number and no sender; nfgenmsg: nothing.
    let request: [UInt8] = [20, 0, 0, 0, 16, 10, 1, 0] + [UInt8](repeating: 0, count: 12)
    guard send(descriptor, request, request.count, 0) == request.count else { return nil }
    var source = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&source, 1, 1000) > 0 else { return nil }
    var reply = [UInt8](repeating: 0, count: 4096)
    // NFT_MSG_NEWGEN, and behind the headers NFTA_GEN_ID, which is the first of its attributes.
    guard recv(descriptor, &reply, reply.count, 0) >= 28, reply[4] == 15, reply[5] == 10, reply[22] == 1 else {
      return nil
    }
    return RuleGeneration(number: reply[24..<28].reduce(0) { $0 << 8 | UInt32($1) })
  }
}
