import APIClient
import ArgumentParser
import FoundationEssentials
import Glibc
import Synchronization

extension Session {
  /// The answer to a POST that may contain something that is returned only once, such as a password or a token's text. It is
  /// shown as soon as it arrives, even after Ctrl-C: the first Ctrl-C waits for the answer, and the second one says how to get
  /// it again.
  ///
  /// - Parameter tell: Shows that part of the answer after Ctrl-C.
  func answerOnce(_ path: String, body: JSON?, tell: (JSON) -> Void) async throws -> JSON {
    let key = UUID().uuidString.lowercased()
    let again: @Sendable () -> String = { repetition(path, body, key) }
    let presses = Presses()
    let interrupts = Interrupts.answer {
      if let nothing = postponement.sentence {
        Terminal.tell("Interrupted. " + nothing.escapedForTerminal)
        _exit(130)
      }
      guard presses.next() > 1 else {
        return Terminal.tell(
          "Interrupted. The answer may have in it what is told only once, and is waited for; Ctrl-C again gives it up.")
      }
      Terminal.tell("Interrupted. It may be done all the same. The answer is had again, for a day, by:\n  \(again())")
      _exit(130)
    }
    let reply: JSON
    do {
      defer { Interrupts.end(interrupts) }
      reply = try await OptionErrors.naming {
        try await client.request("POST", path, body: body, idempotencyKey: key).json()
      }
    } catch  where Self.mayBeDone(after: error) {
      Terminal.tell("It may be done all the same. Its answer is had again, for a day, by:\n  \(again())")
      throw error
    }
    guard presses.count > 0 else { return reply }
    tell(reply)
    Terminal.tell("Interrupted. It goes on all the same.")
    throw ExitCode(130)
  }

  /// Whether the service may have carried out the request without an answer arriving here.
  private static func mayBeDone(after error: any Error) -> Bool {
    switch error {
    case let failure as ConnectionFailure: failure.kind == .lost
    case let error as APIError: [409, 502, 504].contains(error.status)
    default: error is UnexpectedReply
    }
  }

  /// The command that repeats the request with its idempotency key, for which the service keeps the answer.
  private func repetition(_ path: String, _ body: JSON?, _ key: String) -> String {
    var words = "vpsctl api POST \(path) --idempotency-key \(key)"
    if let context { words += " --context \(context.quotedForShell)" }
    guard let text = body?.text else { return words.escapedForTerminal }
    guard text.utf8.count > 4096 else { return (words + " --data " + text.quotedForShell).escapedForTerminal }
    let file = "\(ContextStore.stateFolder)/requests/\(key).json"
    do {
      try SecretFile.write(text, to: file)
    } catch {
      Terminal.tell("The body is too long to be printed, and is kept nowhere: \(error)".escapedForTerminal)
      return (words + " --data - <(the same)").escapedForTerminal
    }
    Terminal.tell("The body is kept in \(file), which is yours to delete.".escapedForTerminal)
    return (words + " --data - <" + file.quotedForShell).escapedForTerminal
  }

  private final class Presses: Sendable {
    private let presses = Atomic<Int>(0)

    var count: Int { presses.load(ordering: .acquiring) }
    func next() -> Int { presses.add(1, ordering: .acquiringAndReleasing).newValue }
  }
}

extension String {
  fileprivate var quotedForShell: String {
    "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}
