import APIClient
import Glibc

/// How to log in to a server. Values from the service become arguments of ssh, so they are validated: none can be taken for an
/// option.
struct Login {
  let user: String
  let address: String
  let port: Int
  /// The name under which the server's host keys are stored, because its address may have belonged to another server before.
  let alias: String
  let name: String

  init(_ server: JSON) throws {
    let title = Kind.server.title(of: server)
    guard
      let address = [server["ip_address"], server["ipv6_address"], server["ipv6_addresses"]?.array?.first]
        .compactMap({ $0?.string }).first
    else {
      let status = server["status"]?.string ?? "unknown"
      throw Refusal(.refused, "\(title) has no address: it is \(status).")
    }
    let user = server["username"]?.string ?? "root"
    let uuid = server["uuid"]?.string ?? ""
    let port = server["ssh_port"].map { $0.int ?? 0 } ?? 22
    func isMade(of letters: String, _ text: String) -> Bool {
      !text.isEmpty && text.utf8.count < 128 && text.utf8.allSatisfy { letters.utf8.contains($0) }
    }
    guard isMade(of: "0123456789abcdefABCDEF.:", address), isMade(of: "abcdefghijklmnopqrstuvwxyz0123456789_", user),
      isMade(of: "0123456789abcdef-", uuid), (1...65535).contains(port)
    else {
      throw UnexpectedReply(status: 200, "The service tells of \(title) an address or a user that cannot be one.")
    }
    if let reason = Self.takenPort(of: server) { throw Refusal(.refused, reason) }
    self.user = user
    self.address = address
    self.port = port
    alias = "vpsctl-" + uuid
    name = server["name"]?.string ?? ""
  }

  /// Why nobody should log in, as a sentence; nil where the address and port lead to the server. If the address is the host's
  /// and the port is not forwarded to the server, a program of the host listens there.
  static func takenPort(of server: JSON) -> String? {
    guard let address = server["ip_address"]?.string else { return nil }
    let ports = server["forwarded_ports"]?.array ?? []
    let isOwn = server["ipv4_addresses"]?.array?.contains { $0.string == address } ?? true
    if isOwn, ports.isEmpty { return nil }
    let port = server["ssh_port"]?.int ?? 0
    if ports.contains(where: { $0["port"]?.int == port && $0["server_port"]?.int == 22 }) { return nil }
    return
      "\(Kind.server.title(of: server)) has no port for logins now: \(port) of its host \(address) is a program's of the "
      + "host. Whoever runs the service can free it."
  }

  static var knownHosts: String { ContextStore.stateFolder + "/known_hosts" }

  var options: [String] {
    [
      "-o", "HostKeyAlias=\(alias)", "-o", "UserKnownHostsFile=\(Self.knownHosts)", "-o", "HashKnownHosts=no",
      "-o", "StrictHostKeyChecking=accept-new",
    ]
  }

  /// Replaces this program by another one.
  static func become(_ program: String, _ arguments: [String]) throws -> Never {
    if access(ContextStore.stateFolder, F_OK) != 0 { try SecretFile.write("", to: knownHosts) }
    // The program does not need the token.
    unsetenv("VPSCTL_TOKEN")
    signal(SIGPIPE, SIG_DFL)
    signal(SIGINT, SIG_DFL)
    Terminal.flush()
    var pointers = ([program] + arguments).map { strdup($0) } + [nil]
    execvp(program, &pointers)
    throw Refusal(.failed, "\(program) cannot be run: \(String(cString: strerror(errno))).")
  }

  /// Forgets the host keys, because a rebuilt server has new ones.
  static func forget(_ server: JSON) {
    guard let uuid = server["uuid"]?.string, let text = try? SecretFile.read(knownHosts) else { return }
    let lines = text.split(separator: "\n").filter { !$0.hasPrefix("vpsctl-\(uuid) ") }
    try? SecretFile.write(lines.map { $0 + "\n" }.joined(), to: knownHosts)
  }

  /// Whether its sshd sends a greeting within seconds.
  func isAnswered() -> Bool {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICHOST
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(address, String(port), &hints, &found) == 0, let place = found?.pointee else { return false }
    defer { freeaddrinfo(found) }
    let socket = Glibc.socket(place.ai_family, Int32(SOCK_STREAM.rawValue), 0)
    guard socket >= 0 else { return false }
    defer { close(socket) }
    var limit = timeval(tv_sec: 5, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    guard connect(socket, place.ai_addr, place.ai_addrlen) == 0 else { return false }
    var banner = [UInt8](repeating: 0, count: 4)
    return recv(socket, &banner, 4, Int32(MSG_WAITALL)) == 4 && banner == Array("SSH-".utf8)
  }
}
