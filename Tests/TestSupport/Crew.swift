import Core
package import Engine

/// The runners of all hosts.
package struct Crew: Sendable {
  let runners: [Runner]

  /// Carries out the next step of the first host that has one. Returns false where no host has any.
  package func runNextStep() async throws -> Bool {
    for runner in runners where try await runner.runNextStep() { return true }
    return false
  }

  package func run() async {
    await withDiscardingTaskGroup { group in
      for runner in runners { group.addTask { await runner.run() } }
    }
  }

  package func stop() {
    for runner in runners { runner.stop() }
  }
}

/// The monitors of all hosts.
package struct Lookout: Sendable {
  package let monitors: [Monitor]

  package func pollOnce() async {
    await withDiscardingTaskGroup { group in
      for monitor in monitors {
        group.addTask {
          await monitor.pollOnce()
          await monitor.keepLimits()
        }
      }
    }
  }

  package func pollSoon() {
    for monitor in monitors { monitor.pollSoon() }
  }

  package func run() async {
    await withDiscardingTaskGroup { group in
      for monitor in monitors { group.addTask { await monitor.run() } }
    }
  }
}
