import Core
import Foundation
import HostPrograms
import PrivateFiles

/// slirp4netns: the other end of a namespace's only link, and an ordinary program to the host. It is not a child of this
/// process, and continues without it.
struct SlirpProcess: Sendable {
  /// The folder of its socket, lock and log.
  let directory: String

  private static let network = "10.254.254.0/24"
  /// The address in that network which slirp4netns gives to its name server.
  static let nameServer = "10.254.254.3"
  private static let limit = Duration.seconds(10)

  private var socketPath: String { "\(directory)/slirp.socket" }
  private var logPath: String { "\(directory)/slirp.log" }

  private var processes: [pid_t] {
    let argument = "--api-socket=\(socketPath)"
    return ((try? HostProcess.all()) ?? []).filter {
      $0.program.hasSuffix("slirp4netns") && $0.arguments.contains(argument)
    }.map(\.id)
  }

  var isRunning: Bool { !processes.isEmpty }

  /// Only one runs at a time, whichever process starts it: it holds the lock for as long as it lives.
  func start(in namespace: String) throws {
    let script = """
      exec 9>>"$1/slirp.lock"
      flock --wait 5 9 || exit 1
      rm -f "$1/slirp.socket"
      ulimit -n 65536 || true
      exec slirp4netns --configure --mtu=1500 --disable-host-loopback --cidr=\(Self.network) --enable-sandbox \
      --enable-seccomp "--api-socket=$1/slirp.socket" --netns-type=path "$2" tap0 >>"$1/slirp.log" 2>&1 </dev/null
      """
    try HostProgram("setsid", ["--fork", "/bin/sh", "-c", script, "slirp4netns", directory, namespace])
      .run(within: Self.limit)
    let deadline = ContinuousClock.now + Self.limit
    while (try? forwards()) == nil {
      guard deadline.remainingMilliseconds != nil else {
        end()
        throw DriverError(.unreachable, "slirp4netns did not start: \(lastWords)")
      }
      poll(nil, 0, 20)
    }
  }

  func end() {
    let deadline = ContinuousClock.now + Self.limit
    var left = processes
    while !left.isEmpty, deadline.remainingMilliseconds != nil {
      for process in left { kill(process, SIGKILL) }
      poll(nil, 0, 10)
      left = processes
    }
  }

  /// slirp4netns logs a line for each request.
  func trimLog() {
    var status = stat()
    if stat(logPath, &status) == 0, status.st_size > 1 << 20 { truncate(logPath, 0) }
  }

  private var lastWords: String {
    String(decoding: (FileManager.default.contents(atPath: logPath) ?? Data()).suffix(1000), as: UTF8.self)
  }

  // MARK: - The ports that it forwards

  private struct Reply: Decodable {
    struct Content: Decodable { let id: Int? }

    struct Problem: Decodable { let desc: String? }

    struct Entry: Decodable {
      let id: Int
      let hostAddr: String
      let hostPort: UInt16
    }

    /// The result of a list.
    let entries: [Entry]?
    let `return`: Content?
    let error: Problem?
  }

  func forwards() throws -> [ForwardedListener: Int] {
    guard let entries = try ask(["execute": "list_hostfwd"]).entries else {
      throw DriverError(.unreachable, "slirp4netns does not tell what it listens to")
    }
    return entries.reduce(into: [:]) { forwards, entry in
      guard let address = IPv4Address(entry.hostAddr) else { return }
      forwards[ForwardedListener(outside: address, port: entry.hostPort)] = entry.id
    }
  }

  /// Returns why the port could not be forwarded; nil on success.
  func addForward(_ listener: ForwardedListener) throws -> String? {
    let arguments: [String: Any] = [
      "proto": "tcp", "host_addr": "\(listener.outside)", "host_port": Int(listener.port),
      "guest_addr": "\(listener.inside)", "guest_port": Int(listener.port),
    ]
    let reply = try ask(["execute": "add_hostfwd", "arguments": arguments])
    return reply.return?.id == nil ? reply.error?.desc ?? "no reason" : nil
  }

  func removeForward(_ id: Int) throws {
    _ = try ask(["execute": "remove_hostfwd", "arguments": ["id": id]])
  }

  /// Uses a new connection for each request.
  private func ask(_ question: [String: Any]) throws -> Reply {
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let descriptor = socket(AF_UNIX, type, 0)
    guard descriptor >= 0 else { throw HostError.last("make a socket") }
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socketPath.utf8.prefix(107)) }
    // A connection that would have to wait in the queue fails, as if the process did not run.
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
    guard isConnected else { throw HostError.last("reach slirp4netns") }
    let request = Array(try JSONSerialization.data(withJSONObject: question))
    guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
      throw HostError.last("ask slirp4netns")
    }
    shutdown(descriptor, Int32(SHUT_WR))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Reply.self, from: try answer(descriptor))
  }

  private func answer(_ descriptor: Int32) throws -> Data {
    var answer = Data()
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let deadline = ContinuousClock.now + Self.limit
    while let remaining = deadline.remainingMilliseconds, answer.count < 16 << 20 {
      var source = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&source, 1, remaining) > 0 else { continue }
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count < 0, errno == EAGAIN || errno == EINTR { continue }
      guard count > 0 else { return answer }
      answer += buffer.prefix(count)
    }
    throw DriverError(.unreachable, "slirp4netns does not answer")
  }
}
