import ArgumentParser
import Core
import Foundation

/// What ends a command, in words for its operator.
struct Worded: Error, CustomStringConvertible {
  let description: String

  /// What ArgumentParser has words for, and what has a description of its own, stays as it is.
  static func error(_ error: any Error) -> any Error {
    switch error {
    case let error as DriverError: Worded(description: sentence(error.detail))
    case let error as StoreUnavailable: Worded(description: "The database cannot be used now: \(error)")
    case let error as Failure: failure(error)
    case let error as POSIXError: Worded(description: sentence(String(cString: strerror(error.code.rawValue))))
    case let error as CocoaError: Worded(description: sentence(error.localizedDescription))
    case is CancellationError: Worded(description: "It was stopped before its end.")
    default: error
    }
  }

  private static func failure(_ error: Failure) -> Worded {
    if case .invalidFields(let fields) = error.code {
      return Worded(
        description: fields.map { "\($0.field): \($0.messages.joined(separator: " "))" }.joined(separator: "\n"))
    }
    return Worded(description: error.privateDetail.map(sentence) ?? error.message)
  }

  private static func sentence(_ text: String) -> String {
    let text = text.prefix(1).uppercased() + text.dropFirst()
    return text.hasSuffix(".") ? text : text + "."
  }
}
