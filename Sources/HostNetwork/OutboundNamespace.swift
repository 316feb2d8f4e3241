package import Core
package import Foundation
package import HostPrograms
package import Logging
import PrivateFiles
import Synchronization

/// Where machines of the loopback network run that may reach the internet: a network namespace whose only link is slirp4netns,
/// a program of this host that opens connections for them. Packets to a loopback address stay in the namespace, and nothing of
/// the host's own network is changed.
///
/// An address 127.a.b.c of the host is 240.a.b.c inside, and ports on which its server listens there are opened outside. All of
/// it outlives this process. Everything here blocks.
package final class OutboundNamespace: Sendable {
  private struct State {
    /// The networks closed by the rules; empty until this process has loaded them.
    var closed: [String] = []
    /// Listeners that could not be forwarded, to log each only once.
    var unforwarded: Set<ForwardedListener> = []
    var failures = 0
  }

  private let directory: String
  private let mayMail: Bool
  /// Whether machines are no longer started inside: the namespace is then removed with the last one that runs.
  private let isRetired: Bool
  private let logger: Logger
  private let uplink: SlirpProcess
  private let state = Mutex(State())
  /// The listeners not forwarded at the last check, for callers that must not block.
  private let lost = Mutex<Set<ForwardedListener>>([])

  package init(directory: String, mayMail: Bool, isRetired: Bool = false, logger: Logger) {
    (self.directory, self.mayMail, self.isRetired, self.logger) = (directory, mayMail, isRetired, logger)
    uplink = SlirpProcess(directory: directory)
  }

  /// The file by which a program enters it: `nsenter --net=`.
  package var path: String { "\(directory)/namespace" }

  package var exists: Bool { Self.isNamespace(path) || uplink.isRunning }

  /// The namespace as the kernel names it; nil where there is none.
  package var identity: String? {
    let file = Self.file(path)
    return Self.isNamespace(path) ? "net:[\(file.st_ino)]" : nil
  }

  /// The name server for guests.
  package static let nameServer = SlirpProcess.nameServer

  package static func inside(_ address: IPv4Address) -> IPv4Address {
    IPv4Address(number: 240 << 24 | address.number & 0x00FF_FFFF)
  }

  /// The ports of a server's address that are not forwarded, because another program of this host has them.
  package func lostPorts(at address: IPv4Address) -> [Int] {
    lost.withLock { lost in lost.filter { $0.outside == address }.map { Int($0.port) }.sorted() }
  }

  /// Why this host cannot have a namespace; nil where it can, or has it already.
  package var obstacle: String? {
    if Self.isNamespace(path) { return nil }
    guard getuid() == 0 else { return "vpsd does not run as root" }
    for program in ["slirp4netns", "nft", "ip", "nsenter", "unshare"] where HostProgram.path(of: program) == nil {
      return "\(program) is not installed on this host"
    }
    let probe = "ip link set lo up && ip tuntap add dev probe mode tap && \(Self.openPorts) && nft -f -"
    do {
      try HostProgram("unshare", ["--net", "sh", "-c", probe], input: Array(rules(closing: []).utf8))
        .run(within: .seconds(30))
      return nil
    } catch {
      return "it lets nobody make a network: \(error)"
    }
  }

  // MARK: - The desired state

  /// - Parameter holders: Processes that may be inside already if the mount of their namespace was lost: each start of a
  ///   service may have mounts of its own.
  package func ensure(heldBy holders: [pid_t]) throws {
    try state.withLock { state in
      if !Self.isNamespace(path) { try makeNamespace(heldBy: holders) }
      try ensureUplink(&state)
    }
  }

  /// Applies the rules inside, and forwards the ports that servers listen on there.
  package func reconcile() throws {
    try state.withLock { state in
      guard Self.isNamespace(path) else { return }
      if isRetired, try listeners().isEmpty { return try remove(&state) }
      try ensureUplink(&state)
      do {
        try forward(&state)
        state.failures = 0
      } catch {
        state.failures += 1
        // slirp4netns is restarted after two failures, because it may hang.
        if state.failures > 1 { uplink.end() }
        throw error
      }
    }
  }

  /// Reconciles again and again until `stop` is set, and at once when the host's addresses have changed.
  package func keep(until stop: StopSignal) {
    let events = try? KernelEvents()
    var lastProblem = ""
    while !stop.isSet {
      events?.drain()
      do {
        try reconcile()
        lastProblem = ""
      } catch {
        if "\(error)" != lastProblem { logger.error("the way out of servers is not as it should be: \(error)") }
        lastProblem = "\(error)"
      }
      let next = ContinuousClock.now + Self.interval
      poll(nil, 0, 100)
      while !stop.isSet, ContinuousClock.now < next {
        if let events { if events.wait(within: .milliseconds(100)) { break } } else { poll(nil, 0, 100) }
      }
    }
  }

  private static let interval = Duration.seconds(1)

  /// Removes everything, unless a machine runs inside.
  package func removeIfUnused() throws {
    try state.withLock { state in
      guard Self.isNamespace(path) else { return uplink.end() }
      if try listeners().isEmpty { try remove(&state) }
    }
  }

  /// Whether no machine runs inside.
  package func isUnused() throws -> Bool { Self.isNamespace(path) ? try listeners().isEmpty : true }

  private func remove(_ state: inout State) throws {
    uplink.end()
    try HostProgram("umount", [path]).run(within: .seconds(10))
    unlink(path)
    state = State()
    lost.withLock { $0 = [] }
  }

  // MARK: - The namespace

  private func makeNamespace(heldBy holders: [pid_t]) throws {
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try PrivateFile.write([], to: path)
    if let held = holders.lazy.map({ "/proc/\($0)/ns/net" }).first(where: isOurs) {
      try HostProgram("mount", ["--bind", held, path]).run(within: .seconds(10))
    } else {
      // The slirp4netns of an earlier namespace is useless.
      uplink.end()
      try HostProgram("unshare", ["--net=\(path)", "ip", "link", "set", "lo", "up"]).run(within: .seconds(10))
    }
  }

  /// A holder may be in the host's own network, which must not be touched.
  private func isOurs(_ namespace: String) -> Bool {
    let file = Self.file(namespace)
    guard file.st_ino != 0, ["/proc/1/ns/net", "/proc/self/ns/net"].allSatisfy({ Self.file($0).st_ino != file.st_ino })
    else { return false }
    let listing = try? HostProgram("nsenter", ["--net=\(namespace)", "nft", "list", "table", "inet", "vpsd"])
      .run(within: .seconds(10))
    return listing?.contains("comment \"\(Self.mark)\"") == true
  }

  /// All namespaces are on the same file system.
  private static func isNamespace(_ path: String) -> Bool { file(path).st_dev == file("/proc/self/ns/net").st_dev }

  /// All zeros where there is no file.
  private static func file(_ path: String) -> stat {
    var status = stat()
    return stat(path, &status) == 0 ? status : stat()
  }

  private static let mark = "the way out of servers"
  /// Lets every user listen on every port, so that no QEMU needs root for it.
  private static let openPorts = "echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start"

  private func ensureUplink(_ state: inout State) throws {
    uplink.trimLog()
    if !uplink.isRunning {
      (state.closed, state.unforwarded) = ([], [])
      try uplink.start(in: path)
    }
    let closed = try Self.closedOfHost()
    guard closed != state.closed else { return }
    if state.closed.isEmpty {
      try run("sh", ["-c", "\(Self.openPorts) && ip route replace local 240.0.0.0/8 dev lo"])
    }
    try run("nft", ["-f", "-"], input: rules(closing: closed))
    state.closed = closed
  }

  /// This host's addresses and the networks of its links: slirp4netns connects from the host itself, which would accept it.
  private static func closedOfHost() throws -> [String] {
    let own: [RouteOutput] = try KernelNetwork.output("-4", "route", "show", "table", "local", "type", "local")
    let linked: [RouteOutput] = try KernelNetwork.output("-4", "route", "show", "scope", "link")
    return Set((own + linked).map(\.dst).filter { IPNetwork($0) != nil || IPv4Address($0) != nil }).sorted()
  }

  private func rules(closing networks: [String]) -> String {
    let mail = mayMail ? "" : "tcp dport 25 reject with tcp reset"
    return """
      table inet vpsd { }
      delete table inet vpsd
      table inet vpsd {
        comment "\(Self.mark)"
        set closed {
          type ipv4_addr; flags interval; auto-merge;
          elements = { \((Ruleset.closed + networks).joined(separator: ", ")) }
        }
        set flows { typeof meta skuid; size 65535; flags dynamic; }
        chain output {
          type filter hook output priority 0; policy accept;
          oifname "lo" drop
          ct state established,related accept
          meta nfproto ipv6 drop
          ct state new add @flows { meta skuid ct count over \(Self.connectionLimit) } drop
          ip daddr \(Self.nameServer) meta l4proto { tcp, udp } th dport 53 accept
          \(mail)
          ip daddr @closed drop
        }
      }

      """
  }

  /// The limit for one server: slirp4netns has 65,536 for all of them.
  private static let connectionLimit = 2000

  /// Enough for some 28,000 sockets.
  private static let tableLimitBytes = 4 << 20

  @discardableResult
  private func run(_ program: String, _ arguments: [String], input: String = "") throws -> String {
    try HostProgram(
      "nsenter", ["--net=\(path)", program] + arguments, input: Array(input.utf8),
      outputLimitBytes: Self.tableLimitBytes
    ).run(within: .seconds(30))
  }

  // MARK: - Listening sockets inside

  private func listeners() throws -> Set<ForwardedListener> {
    // Only the beginning of the file is needed: connections come after the listening sockets.
    let table = try run("head", ["--bytes=\(Self.tableLimitBytes)", "/proc/net/tcp"])
    return Set(ListeningSocket.all(in: table.split(separator: "\n")).compactMap { ForwardedListener($0) })
  }

  private func forward(_ state: inout State) throws {
    defer {
      let unforwarded = state.unforwarded
      lost.withLock { $0 = unforwarded }
    }
    let wanted = try listeners()
    let present = try uplink.forwards()
    for (listener, id) in present where !wanted.contains(listener) { try uplink.removeForward(id) }
    state.unforwarded.formIntersection(wanted)
    for listener in wanted where present[listener] == nil {
      if let problem = try uplink.addForward(listener) {
        guard state.unforwarded.insert(listener).inserted else { continue }
        logger.warning(
          "port \(listener.port) of \(listener.outside) leads nowhere; does another program of this host listen there? \(problem)"
        )
      } else {
        state.unforwarded.remove(listener)
      }
    }
  }
}

/// A port of a server that is forwarded, with the same number inside and outside.
struct ForwardedListener: Hashable {
  let outside: IPv4Address
  let port: UInt16

  var inside: IPv4Address { OutboundNamespace.inside(outside) }

  init(outside: IPv4Address, port: UInt16) {
    (self.outside, self.port) = (outside, port)
  }

  /// Nil for a socket that is not a server's own, so that an attacker who broke out of one QEMU gets the ports of its address
  /// and no other.
  init?(_ socket: ListeningSocket) {
    guard let number = socket.address?.number, number >> 24 == 240 else { return nil }
    let user = socket.user
    // A server's user ID has the last three bytes of its address, or of its UUID if another server still has that user.
    guard user == 0 || user >> 24 == 0x71 || user & 0x00FF_FFFF == number & 0x00FF_FFFF else { return nil }
    self.init(outside: IPv4Address(number: 127 << 24 | number & 0x00FF_FFFF), port: socket.port)
  }
}
