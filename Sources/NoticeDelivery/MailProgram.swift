package import Core
import Foundation
import Synchronization

/// A program that takes a message on its standard input, as `sendmail -t` does. It is started directly, without a shell.
package struct MailProgram: NoticeReceiver {
  private let commandLine: [String]
  private let from: EmailAddress
  private let limit: Duration

  /// - Parameters:
  ///   - commandLine: The path of the program, and its arguments.
  ///   - limit: How long it may run. After that it is killed, with all that it has started.
  package init(_ commandLine: [String], from: EmailAddress, limit: Duration = .seconds(30)) {
    self.commandLine = commandLine
    self.from = from
    self.limit = limit
  }

  package func deliver(_ letter: NoticeLetter) async throws {
    let run = ProgramRun(commandLine: commandLine, input: try MailMessage(letter, from: from).bytes, limit: limit)
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        // `run` blocks, so each notice under way has a thread of its own.
        Thread.detachNewThread { continuation.resume(with: Result { try run.run() }) }
      }
    } onCancel: {
      run.hurry()
    }
  }
}
