import ArgumentParser
import Core
import Foundation
import HostImages

/// The error that ends a command, as text for its operator. It may contain text from customers, guests, files and other
/// programs, so each line is escaped here.
struct Worded: Error, CustomStringConvertible {
  let description: String
  /// The exit status of the process.
  let status: Int32

  private init(_ lines: [String], status: Int32 = 1) {
    description = lines.map { $0.escaped() }.joined(separator: "\n")
    self.status = status
  }

  /// Errors for which ArgumentParser prints more than a message are returned unchanged.
  static func error(_ error: any Error) -> any Error {
    switch error {
    case is ExitCode, is CleanExit: error
    // The user has asked for help.
    case _ where Vpsd.exitCode(for: error).isSuccess: error
    case let error as ValidationError: ValidationError(error.message.escaped())
    case let error as ConfigurationError: Worded(error.lines)
    case let error as DriverError: Worded([sentence(error.detail)])
    case let error as StoreUnavailable: Worded(["The database cannot be used now: \(error)"])
    case let error as Failure: Worded(lines(of: error), status: status(of: error))
    case let error as ImageRefusal: Worded([error.description], status: status(of: error))
    case let error as HostRefused: Worded([error.description], status: Refusal.Status.refused.rawValue)
    case let error as Refusal: Worded([error.description], status: error.status.rawValue)
    case let error as POSIXError: Worded([sentence(String(cString: strerror(error.code.rawValue)))])
    case let error as CocoaError: Worded([sentence(error.localizedDescription)])
    case is CancellationError: Worded(["It was stopped before its end."])
    default: Worded([Vpsd.message(for: error)])
    }
  }

  private static func status(of failure: Failure) -> Int32 {
    switch failure.code {
    case .notFound: Refusal.Status.notFound.rawValue
    case .internalError: 1
    default: Refusal.Status.refused.rawValue
    }
  }

  private static func status(of refusal: ImageRefusal) -> Int32 {
    switch refusal.kind {
    case .notFound: Refusal.Status.notFound.rawValue
    case .unfit, .busy: Refusal.Status.refused.rawValue
    case .failed: 1
    }
  }

  private static func lines(of failure: Failure) -> [String] {
    if case .invalidFields(let fields) = failure.code {
      return fields.map { "\($0.field): \($0.messages.joined(separator: " "))" }
    }
    return [failure.privateDetail.map(sentence) ?? failure.message]
  }

  private static func sentence(_ text: String) -> String {
    let text = text.prefix(1).uppercased() + text.dropFirst()
    return text.hasSuffix(".") ? text : text + "."
  }
}
