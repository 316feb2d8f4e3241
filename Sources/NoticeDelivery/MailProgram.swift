package import Core
import Foundation
import Synchronization

/// A program that takes a message on its standard input, as `sendmail -t` does. It is started as it stands, with no shell between.
package struct MailProgram: NoticeReceiver {
  private let commandLine: [String]
  private let from: EmailAddress
  private let limit: Duration

  /// - Parameters:
  ///   - commandLine: The path of the program, and its arguments.
  ///   - limit: After which it is killed, with all that it has started.
  package init(_ commandLine: [String], from: EmailAddress, limit: Duration = .seconds(30)) {
    self.commandLine = commandLine
    self.from = from
    self.limit = limit
  }

  package func deliver(_ letter: NoticeLetter) async throws {
    let run = ProgramRun(commandLine: commandLine, input: try MailMessage(letter, from: from).bytes, limit: limit)
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        // It blocks: a thread of its own, of which there are as many as notices under way.
        Thread.detachNewThread { continuation.resume(with: Result { try run.run() }) }
      }
    } onCancel: {
      run.hurry()
    }
  }
}
