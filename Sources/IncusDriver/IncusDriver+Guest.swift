package import Core
package import Foundation
import NIOHTTP1

/// What is asked of containers that run.
extension IncusDriver {
  package func readiness(of machine: UUID) async throws -> Readiness {
    try await DriverError.translating {
      let instance = try await existingInstance(of: machine)
      guard instance.power == .running, let address = instance.addresses.first else {
        return Readiness(hasSSHBanner: false, hasAgent: false)
      }
      // Whoever greets, runs programs too: nobody waits for one to prove it.
      if await greets(address) { return Readiness(hasSSHBanner: true, hasAgent: true) }
      let hasAgent = (try? await exitCode(of: ["/bin/sh", "-c", "exit 0"], in: machine)) == 0
      return Readiness(hasSSHBanner: false, hasAgent: hasAgent)
    }
  }

  /// A guest that has just been started greets within a second; to run a program in it meanwhile would hold it up.
  private func greets(_ address: IPv4Address) async -> Bool {
    let deadline = clock.uptime + .seconds(1)
    while clock.uptime < deadline, !Task.isCancelled {
      // Short, because what is sent before the guest has its address is lost, and would be sent again a second later.
      if await SSHGreeting.isSent(by: address, port: sshPort, within: .milliseconds(150)) { return true }
      try? await clock.sleep(for: .milliseconds(20))
    }
    return await SSHGreeting.isSent(by: address, port: sshPort, within: .seconds(2))
  }

  package func applyHostname(_ hostname: Hostname, to machine: UUID) async throws {
    try await DriverError.translating {
      let arguments = ["/usr/sbin/vpsd-set-hostname", hostname.firstLabel, hostname.name]
      try await requireSuccess(
        of: arguments, in: machine, refusal: "The server did not take the new host name.")
    }
  }

  /// By way of its environment, which nobody else in the container can read, and not of its arguments.
  package func setPassword(hash: String, of account: String, in machine: UUID) async throws {
    try await DriverError.translating {
      try await cluster.inOneTerm {
        try await requireSuccess(
          of: ["/bin/sh", "-c", #"printf '%s:%s\n' "$ACCOUNT" "$HASH" | chpasswd -e"#], in: machine,
          environment: ["ACCOUNT": account, "HASH": hash], refusal: "The server did not take a new password.")
      }
    }
  }

  /// cloud-init writes down at its end what went wrong. What it could not read of a cloud-config it only logs.
  private static let userDataScript = """
    [ -e /run/cloud-init/result.json ] || exit 10
    grep -q '"errors": \\[\\]' /run/cloud-init/result.json &&
      ! grep -qs 'Failed loading yaml blob\\|Failed at merging in cloud config' /var/log/cloud-init.log || exit 12
    exit 11
    """

  package func userDataOutcome(of machine: UUID) async throws -> UserDataOutcome {
    try await DriverError.translating {
      switch try await exitCode(of: ["/bin/sh", "-c", Self.userDataScript], in: machine) {
      case 10: .underWay
      case 11: .succeeded
      case 12: .failed
      default: .unknowable
      }
    }
  }

  package func openConsole(of machine: UUID) async throws -> ConsoleConnection {
    try await DriverError.translating {
      _ = try await existingInstance(of: machine)
      throw DriverError(
        .rejected, "a container has no screen", customerReason: "This server has no screen to look at.")
    }
  }

  func requireSuccess(
    of program: [String], in machine: UUID, environment: [String: String] = [:], refusal: String
  ) async throws {
    let code = try await exitCode(of: program, in: machine, environment: environment)
    guard code == 0 else {
      throw DriverError(.rejected, "\(program[0]) ended with \(code)", customerReason: refusal)
    }
  }

  /// Of a program that runs as root. What it prints goes nowhere: it would be written into the customer's disk.
  private func exitCode(
    of program: [String], in machine: UUID, environment: [String: String] = [:]
  ) async throws -> Int {
    guard try await existingInstance(of: machine).power == .running else {
      throw DriverError(.unreachable, "the container of \(machine.text) does not run")
    }
    let path = ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
    let body = JSONBody([
      "command": .list(program.map { .text($0) }), "environment": .texts(environment.merging(path) { $1 }),
      "interactive": .flag(false), "record-output": .flag(false), "wait-for-websocket": .flag(false),
    ])
    do {
      let result = try await client.finish(
        .init(method: .POST, path: self.path(machine, "exec"), body: body.bytes, deadline: IncusDeadline.instance),
        within: IncusDeadline.program)
      guard let code = result?.exitCode else { throw IncusError.unreadable("a program ended, and nobody knows how") }
      return code
    } catch IncusError.refused(let text) {
      // It was stopped meanwhile, or has not got so far.
      throw DriverError(.unreachable, "nothing can be run in the container of \(machine.text): \(text)")
    }
  }
}
