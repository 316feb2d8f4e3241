import APIClient
import Glibc
import Synchronization

/// A line on the terminal with the action and its duration. At Ctrl-C it says what continues without this command.
final class Progress: Sendable {
  private struct Words {
    var doing: String
    var goesOn: String
  }

  private let words: Mutex<Words>
  private let postponement: Postponement
  private let beginning = ContinuousClock.now

  private init(_ doing: String, goesOn: String, _ postponement: Postponement) {
    words = Mutex(Words(doing: doing, goesOn: goesOn))
    self.postponement = postponement
  }

  /// - Parameters:
  ///   - doing: `web (1) is being created`
  ///   - session: Knows whether the request has begun.
  ///   - goesOn: What to say when the command stops waiting: `It goes on: vpsctl server show 1`
  static func during<Value>(
    _ doing: String, _ session: Session, goesOn: String, _ body: (Progress) async throws -> Value
  ) async throws -> Value {
    let progress = Progress(doing, goesOn: goesOn, session.postponement)
    let interrupts = progress.answerInterrupts()
    let ticker = Task { await progress.tick() }
    defer {
      ticker.cancel()
      Interrupts.end(interrupts)
      progress.clear()
    }
    do {
      return try await body(progress)
    } catch is WaitTimedOut {
      throw GoesOn(
        description: "It is not done in the time that there was to wait. " + progress.words.withLock(\.goesOn))
    }
  }

  func say(_ doing: String) {
    words.withLock { $0.doing = doing }
  }

  private func tick() async {
    while Terminal.isErrors, !Task.isCancelled {
      let seconds = (ContinuousClock.now - beginning) / .seconds(1)
      let line = words.withLock { $0.doing.escapedForTerminal } + " … \(Int(seconds)) s"
      if !Task.isCancelled { Terminal.put(Array("\r\u{1B}[K\(line)".utf8), STDERR_FILENO) }
      try? await Task.sleep(for: .milliseconds(500))
    }
  }

  func clear() {
    if Terminal.isErrors { Terminal.put(Array("\r\u{1B}[K".utf8), STDERR_FILENO) }
  }

  private func answerInterrupts() -> Interrupts.Answer {
    Interrupts.answer { [self] in
      clear()
      let words = postponement.sentence ?? words.withLock(\.goesOn)
      Terminal.tell("Interrupted. " + words.escapedForTerminal)
      _exit(130)
    }
  }
}
