import Core
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import LibvirtDriver

@Suite("The end of a program in a guest")
struct ProgramWaitTests {
  private enum Answer {
    case running, silence, refusal, ended
    case failure(DriverError.Kind)
  }

  private static let silence = DriverError(.unreachable, "Guest agent not available for now")
  private static let refusal = DriverError(.unreachable, "unable to execute QEMU agent command 'guest-exec-status'")

  /// What comes of asking an agent that answers so, and then as it did last; and how often it was asked.
  private func wait(_ answers: Answer...) async -> (result: Result<Int?, any Error>, count: Int) {
    let clock = ManualClock()
    let count = Mutex(0)
    let waiting = Task {
      try await ProgramWait(program: "true", limit: .seconds(1), clock: clock).end {
        let number = count.withLock { count in
          count += 1
          return count
        }
        switch answers[min(number, answers.count) - 1] {
        case .running: return nil
        case .silence: throw Self.silence
        case .refusal: throw Self.refusal
        case .failure(let kind): throw DriverError(kind, "it is gone")
        case .ended:
          return try JSONDecoder().decode(
            GuestAgent.ProgramEnd.self, from: Data(#"{"exited":true,"exitcode":3}"#.utf8))
        }
      }.exitcode
    }
    let ticking = Task {
      while !Task.isCancelled {
        await clock.whenSleeping()
        clock.advance(by: .milliseconds(100))
      }
    }
    let result = await waiting.result
    ticking.cancel()
    await ticking.value
    return (result, count.withLock { $0 })
  }

  private func error(_ result: Result<Int?, any Error>) -> DriverError? {
    if case .failure(let error) = result { return error as? DriverError }
    return nil
  }

  @Test("Is waited for through the silence of a guest that is busy")
  func silence() async throws {
    let (result, count) = await wait(.running, .silence, .silence, .running, .silence, .ended)
    #expect(try result.get() == 3 && count == 6)
  }

  @Test("Is waited for until the limit, and then it is told why there is none")
  func late() async {
    for (answer, detail) in [(Answer.running, "true did not end in time"), (.silence, Self.silence.detail)] {
      let (result, count) = await wait(answer)
      #expect(error(result)?.detail == detail && count == 11, "\(result), \(count)")
    }
  }

  @Test("Was told to nobody where the agent knows nothing of it after a silence; otherwise that is a refusal")
  func lost() async {
    #expect(error(await wait(.running, .silence, .refusal).result) == Self.silence)
    #expect(error(await wait(.silence, .running, .refusal).result) == Self.refusal)
  }

  @Test("Is not waited for in a machine that is gone", arguments: [DriverError.Kind.notFound, .busy])
  func gone(kind: DriverError.Kind) async {
    let (result, count) = await wait(.running, .failure(kind))
    #expect(error(result)?.kind == kind && count == 2)
  }
}
