import ArgumentParser
import Core
import Foundation

/// What ends a command, in words for its operator. What customers, guests, files and other programs chose or said is in them,
/// so that each line is escaped here.
struct Worded: Error, CustomStringConvertible {
  let description: String

  private init(_ lines: [String]) {
    description = lines.map { $0.escaped() }.joined(separator: "\n")
  }

  /// Where ArgumentParser tells more than a message, that stays.
  static func error(_ error: any Error) -> any Error {
    switch error {
    case is ExitCode, is CleanExit: error
    case let error as ValidationError: ValidationError(error.message.escaped())
    case let error as ConfigurationError: Worded(error.lines)
    case let error as DriverError: Worded([sentence(error.detail)])
    case let error as StoreUnavailable: Worded(["The database cannot be used now: \(error)"])
    case let error as Failure: Worded(lines(of: error))
    case let error as POSIXError: Worded([sentence(String(cString: strerror(error.code.rawValue)))])
    case let error as CocoaError: Worded([sentence(error.localizedDescription)])
    case is CancellationError: Worded(["It was stopped before its end."])
    default: Worded([Vpsd.message(for: error)])
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
