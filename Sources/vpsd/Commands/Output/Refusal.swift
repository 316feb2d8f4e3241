import Core

/// Why a command with valid arguments did nothing.
struct Refusal: Error, CustomStringConvertible {
  /// The exit status of the process.
  enum Status: Int32 {
    /// The named thing does not exist.
    case notFound = 3
    /// The named thing exists, but its state does not allow the command.
    case refused = 4
  }

  let status: Status
  let description: String

  static func noSuch(_ sentence: String) -> Refusal { Refusal(status: .notFound, description: sentence) }
  static func refused(_ sentence: String) -> Refusal { Refusal(status: .refused, description: sentence) }
}
