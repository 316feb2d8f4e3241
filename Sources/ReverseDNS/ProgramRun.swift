import Core
import Foundation
import HostPrograms

/// A run of a program that talks to a DNS server, on a thread of its own. It is stopped when the waiting task is cancelled.
struct ProgramRun: Sendable {
  let name: String
  let arguments: [String]
  var input = ""
  var outputLimitBytes = 1 << 20
  let limit: Duration

  struct Ending: Sendable {
    let output: String
    let exitStatus: Int32?
  }

  /// Throws `UnreachableNameServer` where it did not come to its end in time, or could not be started.
  func run() async throws -> Ending {
    let stop = StopSignal()
    let program = HostProgram(name, arguments, input: Array(input.utf8), outputLimitBytes: outputLimitBytes)
    let limit = limit
    do {
      return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Ending, any Error>) in
          // `end` blocks.
          Thread.detachNewThread {
            continuation.resume(
              with: Result {
                let ending = try program.end(within: limit, stop: stop)
                return Ending(output: ending.output, exitStatus: ending.exitStatus)
              })
          }
        }
      } onCancel: {
        stop.set()
      }
    } catch {
      throw UnreachableNameServer((error as? DriverError)?.detail ?? "\(name): \(error)")
    }
  }
}
