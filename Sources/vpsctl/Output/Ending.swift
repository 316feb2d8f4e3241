import APIClient
import ArgumentParser

/// Why a command with valid arguments did nothing.
struct Refusal: Error {
  enum Status: Int32 {
    case failed = 1
    case usage = 2
    /// The thing that the command is about does not exist.
    case notFound = 3
    case refused = 4
  }

  let status: Status
  let lines: [String]

  init(_ status: Status, _ lines: String...) {
    self.init(status, lines)
  }

  init(_ status: Status, _ lines: [String]) {
    self.status = status
    self.lines = lines
  }
}

/// The error that ends a command, as text and as an exit status for scripts. The text may contain what others have written, so
/// each line is escaped here.
struct Ending {
  static let timeout: Int32 = 5

  let status: Int32
  let text: String

  init(_ error: any Error) {
    switch error {
    case let refusal as Refusal: self.init(refusal.status.rawValue, refusal.lines)
    case let error as APIError: self.init(Self.status(of: error), Self.lines(of: error))
    case let failure as ConnectionFailure: self.init(1, [failure.description])
    case let reply as UnexpectedReply: self.init(1, [reply.description])
    case let timeout as WaitTimedOut: self.init(Self.timeout, [timeout.description])
    case let timeout as GoesOn: self.init(Self.timeout, [timeout.description])
    case let code as ExitCode:
      self.init(code.rawValue, [])
    default:
      self.init(parsing: error)
    }
  }

  /// For errors of the command line's parser, and for help that was asked for.
  private init(parsing error: any Error) {
    status = Vpsctl.exitCode(for: error).isSuccess ? 0 : 2
    text = Vpsctl.fullMessage(for: error).split(separator: "\n", omittingEmptySubsequences: false)
      .map { String($0).escapedForTerminal }.joined(separator: "\n")
  }

  private init(_ status: Int32, _ lines: [String]) {
    self.status = status
    text = lines.flatMap { $0.split(separator: "\n", omittingEmptySubsequences: true) }
      .map { "Error: " + String($0).escapedForTerminal }.joined(separator: "\n")
  }

  private static func status(of error: APIError) -> Int32 {
    switch error.status {
    case 404: Refusal.Status.notFound.rawValue
    case 400..<500: Refusal.Status.refused.rawValue
    // There was no room until the time limit.
    case 503 where error.retryAfterSeconds != nil: timeout
    default: Refusal.Status.failed.rawValue
    }
  }

  private static func lines(of error: APIError) -> [String] {
    var lines = [error.detail ?? error.description]
    if let seconds = error.retryAfterSeconds { lines[0] += " Try again in \(seconds) s." }
    if error.status == 500, let id = error.requestID { lines[0] += " (request \(id))" }
    return lines
  }
}

/// The command ends, but what it began is still under way.
struct GoesOn: Error, CustomStringConvertible {
  let description: String
}
