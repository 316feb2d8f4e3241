import Core
import Foundation
import HostNetwork
import HostPrograms
import Logging
import PrivateFiles

/// A libvirtd of our own, for a host where none runs: in its own mount namespace, with all its state in one folder. It is not a
/// child of this process: it and the machines go on when this process dies, and the next process finds them. All methods block:
/// only for `BlockingThreads`.
struct PrivateLibvirtd: Libvirtd {
  let directory: String
  /// The network namespace of libvirtd and its machines; nil for the host's.
  let outbound: OutboundNamespace?
  let logger: Logger

  private static let startLimit: Duration = .seconds(30)
  private static let stopLimit: Duration = .seconds(10)

  init(directory: String, outbound: OutboundNamespace? = nil, logger: Logger) throws {
    self.directory = directory
    self.outbound = outbound
    self.logger = logger
    // sun_path holds 108 bytes including the final zero; libvirtd also makes libvirt-admin-sock beside our socket.
    guard "\(directory)/sock/libvirt-admin-sock".utf8.count < 108 else {
      throw DriverError(.rejected, "the path of the data directory is too long for a unix socket: \(directory)")
    }
  }

  var socketPath: String { "\(directory)/sock/libvirt-sock" }
  var pidPath: String { "\(directory)/pid" }

  var uri: String {
    let socket = socketPath.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? socketPath
    return "qemu+unix:///system?socket=\(socket)"
  }

  /// The PID file of a machine's QEMU.
  func processPath(domain name: String) -> String { "\(directory)/run/qemu/\(name).pid" }

  func logPath(domain name: String) -> String { "\(Self.emulatorLogs(in: directory))/\(name).log" }

  private static func emulatorLogs(in directory: String) -> String { "\(directory)/log/qemu" }

  /// The folder in which QEMUs log, without a limit: `ConsoleLogs` sets one.
  static func emulatorLogs(dataDirectory: String) -> String { emulatorLogs(in: Self.directory(dataDirectory)) }

  static func directory(_ dataDirectory: String) -> String { "\(dataDirectory)/libvirt" }

  /// A lock lets one process at a time do this.
  func ensureRunning() throws {
    if isRunning, !isMisplaced { return }
    try MachineFiles.makeDirectory(directory)
    let lock = try lock(within: Self.startLimit)
    defer { close(lock) }
    try outbound?.ensure(heldBy: (processID.map { [$0] } ?? []) + machines)
    if isRunning {
      if !isMisplaced { return }
      logger.notice("libvirtd starts anew in another network; servers that run stay in the one that they are in")
      try stop()
    }
    // A daemon that lives and does not listen is either starting or ending: soon it listens or its process is gone.
    let deadline = ContinuousClock.now + Self.stopLimit
    while processID != nil, deadline.remainingMilliseconds != nil {
      if isListening { return }
      poll(nil, 0, 20)
    }
    kill()
    endForgottenProbes()
    try forgetEarlierHost()
    try writeConfiguration()
    logger.info("starting a private libvirtd", metadata: ["directory": "\(directory)"])
    let network = outbound.map { ["nsenter", "--net=\($0.path)"] } ?? []
    try HostProgram(
      "setsid",
      ["--fork"] + network + [
        "unshare", "--mount", "--propagation", "slave", "/bin/sh", "-c", Self.script, "libvirtd", directory,
      ]
    ).run(within: .seconds(10))
    try waitUntilListening()
  }

  func stop() throws {
    guard let process = processID else { return }
    Foundation.kill(process, SIGTERM)
    let deadline = ContinuousClock.now + Self.stopLimit
    // It removes the file with its ID some time before it ends.
    while !processes.isEmpty {
      guard deadline.remainingMilliseconds != nil else { return kill() }
      poll(nil, 0, 20)
    }
  }

  /// A daemon that was killed while it probed QEMU leaves that QEMU behind, unknown to any other libvirtd. Each has a folder,
  /// and its process ID in there only once it is under way.
  private func endForgottenProbes() {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: "\(directory)/lib/qemu")) ?? []).filter {
      $0.hasPrefix("qmp-")
    }
    if names.isEmpty { return }
    for process in (try? HostProcess.all()) ?? [] where process.isEmulator {
      guard names.contains(where: { process.mentions("/\($0)/qmp.") }) else { continue }
      logger.info("ending a QEMU that a libvirtd left behind", metadata: ["pid": "\(process.id)"])
      Foundation.kill(process.id, SIGKILL)
    }
  }

  func kill() {
    if let process = processID {
      logger.warning("killing a libvirtd that does not answer", metadata: ["pid": "\(process)"])
    }
    let deadline = ContinuousClock.now + Self.stopLimit
    while case let processes = processes, !processes.isEmpty, deadline.remainingMilliseconds != nil {
      for process in processes { Foundation.kill(process, SIGKILL) }
      poll(nil, 0, 5)
    }
  }

  /// The daemon, and the processes that it has forked and that are no other program yet: one that outlives the daemon holds its
  /// socket and may become a QEMU.
  private var processes: [pid_t] {
    let forked = ((try? HostProcess.all()) ?? []).filter { process in
      // Containers on this host may have the same paths.
      process.program.hasSuffix("libvirtd") && process.arguments.contains(pidPath) && process.isInOwnNamespace
    }
    return (processID.map { [$0] } ?? []) + forked.map(\.id)
  }

  /// The daemon's process ID, if the process lives and is our daemon.
  var processID: pid_t? { HostProcess(inFile: pidPath) { $0.arguments.contains(pidPath) }?.id }

  /// The process of every QEMU of this data directory, whichever libvirtd started it.
  private var machines: [pid_t] {
    let files = "\((directory as NSString).deletingLastPathComponent)/"
    let processes = (try? HostProcess.all()) ?? []
    return processes.filter { $0.isEmulator && $0.mentions(files) }.map(\.id)
  }

  /// Whether somebody listens who is our daemon, and not what a killed one has forked.
  var isRunning: Bool { processID != nil && isListening }

  private var isListening: Bool {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socketPath.utf8.prefix(107)) }
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
  }

  /// Whether the daemon runs in another network namespace than the one intended for its machines.
  private var isMisplaced: Bool {
    func network(of process: String) -> String? {
      try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/ns/net")
    }
    guard let process = processID, let actual = network(of: "\(process)") else { return false }
    return actual != (outbound.map(\.identity) ?? network(of: "self"))
  }

  private func waitUntilListening() throws {
    let deadline = ContinuousClock.now + Self.startLimit
    while !isRunning {
      guard deadline.remainingMilliseconds != nil else {
        throw DriverError(.unreachable, "libvirtd did not start: \(lastWords)")
      }
      poll(nil, 0, 10)
    }
  }

  var lastWords: String {
    ["start.log", "libvirtd.log"].map { name in
      let log = FileManager.default.contents(atPath: "\(directory)/log/\(name)") ?? Data()
      return String(decoding: log.suffix(1000), as: UTF8.self)
    }.joined(separator: "\n")
  }

  private func lock(within limit: Duration) throws -> Int32 {
    let descriptor = open("\(directory)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw HostError.last("open \(directory)/lock") }
    let deadline = ContinuousClock.now + limit
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard deadline.remainingMilliseconds != nil else {
        close(descriptor)
        throw DriverError(.busy, "another process is starting libvirtd")
      }
      poll(nil, 0, 20)
    }
    return descriptor
  }
}

// MARK: - Set-up

extension PrivateLibvirtd {
  /// libvirtd has its state in fixed places; its own mount namespace puts our folder there. New mounts of the host appear
  /// inside (slave), and none of ours appears outside.
  private static let script = """
    set -e
    exec >"$1/log/start.log" 2>&1
    for folder in etc:/etc/libvirt lib:/var/lib/libvirt cache:/var/cache/libvirt log:/var/log/libvirt run:/run/libvirt
    do
      mkdir -p "${folder#*:}"
      mount --bind "$1/${folder%%:*}" "${folder#*:}"
    done
    # It does not start without this user, even though its configuration names another one.
    user="libvirt-qemu:x:64055"
    if ! getent passwd libvirt-qemu >/dev/null
    then
      { cat /etc/passwd; echo "$user:64055::/var/lib/libvirt:/usr/sbin/nologin"; } >"$1/passwd"
      mount --bind "$1/passwd" /etc/passwd
    fi
    if ! getent group libvirt-qemu >/dev/null
    then
      { cat /etc/group; echo "$user:"; } >"$1/group"
      mount --bind "$1/group" /etc/group
    fi
    exec libvirtd --config "$1/etc/libvirtd.conf" --pid-file "$1/pid"
    """

  private func writeConfiguration() throws {
    for folder in ["etc", "lib", "cache", "log", "run", "sock"] {
      try MachineFiles.makeDirectory("\(directory)/\(folder)")
      // libvirtd treats these folders as the host's standard ones, through which QEMU's users must pass. `directory` above is
      // closed.
      guard chmod("\(directory)/\(folder)", 0o711) == 0 else { throw HostError.last("chmod \(folder)") }
    }
    let daemon = """
      unix_sock_dir = "\(directory)/sock"
      unix_sock_rw_perms = "0700"
      unix_sock_ro_perms = "0700"
      auth_unix_rw = "none"
      auth_unix_ro = "none"
      log_outputs = "3:file:\(directory)/log/libvirtd.log"

      """
    // The user for probing QEMU. That of each machine's QEMU is in its definition: see `EmulatorUser`.
    let qemu = """
      user = "root"
      group = "root"
      dynamic_ownership = 0
      remember_owner = 0
      security_driver = "none"
      stdio_handler = "file"
      cgroup_controllers = [ ]
      namespaces = [ ]
      seccomp_sandbox = 1

      """
    try PrivateFile.write(Array(daemon.utf8), to: "\(directory)/etc/libvirtd.conf")
    try PrivateFile.write(Array(qemu.utf8), to: "\(directory)/etc/qemu.conf")
    try trimLog("\(directory)/log/libvirtd.log")
  }

  private func trimLog(_ path: String) throws {
    if try MachineFiles.size(of: path) ?? 0 > 4 << 20 { truncate(path, 0) }
  }

  /// On other hosts `run` is emptied when the host restarts. Ours is not, and libvirtd would trust the PIDs in it, and kill
  /// processes that have those numbers by now.
  private func forgetEarlierHost() throws {
    let path = "\(directory)/host"
    let host = Self.hostIdentity
    if (try? String(contentsOfFile: path, encoding: .utf8)) == host { return }
    try MachineFiles.remove("\(directory)/run")
    try PrivateFile.write(Array(host.utf8), to: path)
  }

  /// Differs after a restart of the host, or of the container that we run in.
  private static var hostIdentity: String {
    let boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
    let namespace = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")) ?? ""
    let first = (try? String(contentsOfFile: "/proc/1/stat", encoding: .utf8)) ?? ""
    // The fields after the name in parentheses; the start time is the 22nd of all, in ticks since the host's boot.
    let fields = first.split(separator: ")").last?.split(separator: " ") ?? []
    return "\(boot.trimmingCharacters(in: .newlines)) \(namespace) \(fields.count > 19 ? fields[19] : "")\n"
  }
}
