import Core

/// Waits for the end of a program in a guest. The agent tells it once, and says nothing while the guest is too busy: it is asked again.
struct ProgramWait: Sendable {
  let program: String
  let limit: Duration
  let clock: any WallClock

  private static let pause = Duration.milliseconds(100)

  /// - Parameter ask: Asks the agent; nil while the program runs.
  func end(_ ask: () async throws -> GuestAgent.ProgramEnd?) async throws -> GuestAgent.ProgramEnd {
    let deadline = clock.uptime + limit
    var silence: DriverError?
    while true {
      let isLast = clock.uptime >= deadline
      do {
        if let end = try await ask() { return end }
        silence = nil
      } catch let error as DriverError where error.kind == .unreachable {
        // After a silence a refusal only says that the end was told when nobody heard it.
        if error.isAgentsRefusal { throw silence ?? error }
        silence = error
      }
      if isLast { throw silence ?? DriverError(.unreachable, "\(program) did not end in time") }
      try await DriverError.translating { try await clock.sleep(for: Self.pause) }
    }
  }
}

extension DriverError {
  /// Whether the guest's agent refused, by libvirt's message. An agent that is silent may still have done what it was asked.
  var isAgentsRefusal: Bool { detail.contains("unable to execute QEMU agent command") }
}
