import CGNU
import Foundation
import Synchronization

/// A DNS server from a Debian package at the loopback, with data of its own, configured as in docs/reverse-dns.md: its key may
/// change PTR records and transfer zones, and nothing else. It ends with this process, however that ends.
package final class TestNameServer: Sendable {
  package enum Kind: String, CaseIterable, Sendable {
    case knot, bind, powerdns
  }

  package struct CannotStart: Error, CustomStringConvertible {
    package let description: String
  }

  package let port: UInt16
  package var keyFile: String { folder.url.path + "/key" }
  /// A key with the same name and another secret.
  package var wrongKeyFile: String { folder.url.path + "/wrong-key" }
  package let kind: Kind
  private let folder: ScopedFolder
  private let zones: [String]
  private let broken: String?
  private let running = Mutex<(supervisor: Process, leash: FileHandle)?>(nil)

  /// - Parameters:
  ///   - zones: The content of each zone by its name, without SOA and NS.
  ///   - broken: Another zone, which cannot be loaded. Not for PowerDNS.
  ///   - isSilent: Whether PowerDNS ignores every change and reports success.
  package init(
    _ kind: Kind, zones: [String: String], broken: String? = nil, isSilent: Bool = false
  ) async throws {
    self.kind = kind
    folder = try ScopedFolder(.memory)
    port = try Self.freePort()
    self.zones = zones.keys.sorted()
    self.broken = broken
    let secret = Data((0..<32).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
    for (path, secret) in [(keyFile, secret), (wrongKeyFile, Data(repeating: 7, count: 32).base64EncodedString())] {
      try Data("key \"vpsd\" {\n\talgorithm hmac-sha256;\n\tsecret \"\(secret)\";\n};\n".utf8).write(
        to: URL(fileURLWithPath: path))
      chmod(path, 0o600)
    }
    for (zone, records) in zones {
      try write(
        """
        $TTL 3600
        @ IN SOA ns.example.net. hostmaster.example.net. 1 3600 600 604800 300
        @ IN NS ns.example.net.
        \(records)

        """, to: Self.file(of: zone))
    }
    if let broken { try write("@ SOA\n", to: Self.file(of: broken)) }
    switch kind {
    case .knot: try write(knotSettings(secret), to: "knot.conf")
    case .bind: try write(bindSettings(secret), to: "named.conf")
    case .powerdns: try await makePowerDNS(secret, isSilent: isSilent)
    }
    try await start()
  }

  deinit { kill() }

  /// Zone names by RFC 2317 contain a slash.
  private static func file(of zone: String) -> String { zone.replacing("/", with: "_") + ".zone" }

  private func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: folder.url.appendingPathComponent(name))
  }

  // MARK: Starting and ending

  private static let script = """
    trap '' INT TERM HUP
    cd "$1"
    shift
    "$@" >>log 2>&1 </dev/null &
    server=$!
    cat >/dev/null
    kill -KILL $server
    wait $server
    """

  private var commandLine: [String] {
    switch kind {
    case .knot: ["/usr/sbin/knotd", "-c", "knot.conf"]
    case .bind: ["/usr/sbin/named", "-c", "named.conf", "-g", "-n", "1"]
    case .powerdns:
      ["/usr/sbin/pdns_server", "--config-dir=.", "--daemon=no", "--guardian=no", "--disable-syslog", "--write-pid=no"]
    }
  }

  /// Returns once the server answers.
  package func start() async throws {
    var ends: [CInt] = [0, 0]
    guard pipe2(&ends, O_CLOEXEC) == 0 else { throw CannotStart(description: String(cString: strerror(errno))) }
    let supervisor = Process()
    supervisor.executableURL = URL(fileURLWithPath: "/bin/sh")
    supervisor.arguments = ["-c", Self.script, "name-server", folder.url.path] + commandLine
    supervisor.standardInput = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
    supervisor.standardError = FileHandle.nullDevice
    try supervisor.run()
    running.withLock { $0 = (supervisor, FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)) }
    let deadline = ContinuousClock.now + .seconds(120)
    while try await !answersForAll() {
      guard ContinuousClock.now < deadline else {
        throw CannotStart(description: "\(kind.rawValue) does not answer (scripts/setup tests): \(log)")
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  /// By both protocols: one that did not get its TCP port goes on without it.
  private func answersForAll() async throws -> Bool {
    for zone in zones {
      for transport in ["+notcp", "+tcp"] {
        let start = try await dig("\(zone).", "SOA", "-k", keyFile, transport, "+time=1", "+tries=1")
        // Another server would not have this one's key.
        guard start.hasPrefix("ns.example.net.") else { return false }
      }
    }
    return true
  }

  /// What it has printed so far.
  package var log: String {
    (try? String(contentsOf: folder.url.appendingPathComponent("log"), encoding: .utf8)) ?? ""
  }

  /// Puts something in the way of BIND's journals, or removes it: as long as it is there, all changes fail. To be called before
  /// the first one.
  package func setJournalsBlocked(_ areBlocked: Bool) throws {
    for zone in zones {
      let journal = folder.url.appendingPathComponent(Self.file(of: zone) + ".jnl")
      if areBlocked {
        try FileManager.default.createDirectory(at: journal, withIntermediateDirectories: false)
      } else {
        try FileManager.default.removeItem(at: journal)
      }
    }
  }

  /// Kills the server with SIGKILL.
  package func kill() {
    guard
      let (supervisor, leash) = running.withLock({ value in
        defer { value = nil }; return value
      })
    else { return }
    try? leash.close()
    supervisor.waitUntilExit()
  }

  // MARK: Queries and updates

  /// The output of `dig +short`.
  package func dig(_ words: String...) async throws -> String {
    try await Self.run("/usr/bin/dig", ["-r", "@127.0.0.1", "-p", "\(port)", "+short"] + words).output
  }

  /// The name of an address.
  package func name(of address: String) async throws -> String {
    try await dig("-x", address).split(whereSeparator: \.isNewline).last.map { String($0) } ?? ""
  }

  /// Tries a change with nsupdate. Read the names afterwards for the result, because PowerDNS also reports success for a change
  /// that it ignored.
  package func update(_ change: String, in zone: String, key: String?) async throws {
    let input = "server 127.0.0.1 \(port)\nzone \(zone)\nupdate \(change)\nsend\n"
    _ = try await Self.run("/usr/bin/nsupdate", ["-t", "60"] + (key.map { ["-k", $0] } ?? []), input: input)
  }

  private static func run(
    _ program: String, _ arguments: [String], input: String = ""
  ) async throws -> (status: Int32, output: String) {
    try await onOwnThread { try runNow(program, arguments, input) }
  }

  private static func runNow(
    _ program: String, _ arguments: [String], _ input: String
  ) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let (source, output) = (Pipe(), Pipe())
    process.standardInput = source
    process.standardOutput = output
    process.standardError = output
    try process.run()
    try source.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try source.fileHandleForWriting.close()
    let text = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: text, as: UTF8.self))
  }

  /// A port that nobody listens at, and that the kernel gives to nobody to send from. BIND and Knot set `SO_REUSEPORT`, and so
  /// does dig: of the ports for senders, it would once in a while be given the one of the server and talk to itself.
  private static func freePort() throws -> UInt16 {
    let range = try String(contentsOfFile: "/proc/sys/net/ipv4/ip_local_port_range", encoding: .utf8)
    let senders = range.split(whereSeparator: \.isWhitespace).compactMap { UInt16($0) }
    for _ in 0..<1000 {
      let port = UInt16.random(in: 5000...65_000)
      if senders.count == 2, senders[0] <= port, port <= senders[1] { continue }
      if canBind(port, SOCK_STREAM), canBind(port, SOCK_DGRAM) { return port }
    }
    throw CannotStart(description: "there is no port")
  }

  private static func canBind(_ port: UInt16, _ type: __socket_type) -> Bool {
    let descriptor = socket(AF_INET, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}

// MARK: Configuration of each server

extension TestNameServer {
  private var configured: [String] { zones + [broken].compactMap(\.self) }

  private func knotSettings(_ secret: String) -> String {
    """
    server:
      rundir: "\(folder.url.path)"
      listen: 127.0.0.1@\(port)
    database:
      storage: "\(folder.url.path)"
    key:
      - id: vpsd
        algorithm: hmac-sha256
        secret: \(secret)
    acl:
      - id: vpsd
        key: vpsd
        action: [update, transfer]
        update-type: [PTR]
    template:
      - id: default
        storage: "\(folder.url.path)"
        acl: vpsd
    zone:

    """ + configured.map { "  - domain: \($0)\n    file: \(Self.file(of: $0))\n" }.joined()
  }

  private func bindSettings(_ secret: String) -> String {
    """
    options {
      directory "\(folder.url.path)"; listen-on port \(port) { 127.0.0.1; }; listen-on-v6 { none; };
      pid-file none; session-keyfile none; recursion no; dnssec-validation no; notify no; empty-zones-enable no;
    };
    controls { };
    key vpsd { algorithm hmac-sha256; secret "\(secret)"; };

    """
      + configured.map { zone in
        """
        zone "\(zone)" {
          type primary; file "\(Self.file(of: zone))";
          update-policy { grant vpsd zonesub PTR; }; allow-transfer { key vpsd; };
        };

        """
      }.joined()
  }

  private func makePowerDNS(_ secret: String, isSilent: Bool) async throws {
    let path = folder.url.path
    try write(
      """
      function updatepolicy(input)
        return input:getTsigName():equal("\(isSilent ? "another" : "vpsd").") and input:getQType() == pdns.PTR
      end

      """, to: "policy.lua")
    try write(
      """
      launch=gsqlite3
      gsqlite3-database=\(path)/db
      gsqlite3-pragma-synchronous=0
      local-address=127.0.0.1
      local-port=\(port)
      dnsupdate=yes
      lua-dnsupdate-policy-script=\(path)/policy.lua
      socket-dir=\(path)
      include-dir=
      cache-ttl=0
      query-cache-ttl=0
      negquery-cache-ttl=0
      zone-cache-refresh-interval=0
      security-poll-suffix=

      """, to: "pdns.conf")
    let schema = try String(
      contentsOfFile: "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql", encoding: .utf8)
    _ = try await Self.run("/usr/bin/sqlite3", ["\(path)/db"], input: schema)
    func manage(_ words: String...) async throws {
      let (status, output) = try await Self.run("/usr/bin/pdnsutil", ["--config-dir=\(path)"] + words)
      guard status == 0 else { throw CannotStart(description: output) }
    }
    try await manage("import-tsig-key", "vpsd", "hmac-sha256", secret)
    for zone in zones {
      try await manage("load-zone", zone, "\(path)/\(Self.file(of: zone))")
      try await manage("set-meta", zone, "TSIG-ALLOW-AXFR", "vpsd")
      try await manage("set-meta", zone, "TSIG-ALLOW-DNSUPDATE", "vpsd")
    }
  }
}
