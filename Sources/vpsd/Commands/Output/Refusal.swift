import Core

/// Why a command did nothing, though what was typed is what it takes.
struct Refusal: Error, CustomStringConvertible {
  /// With which the process ends.
  enum Status: Int32 {
    /// What was named is not there.
    case notFound = 3
    /// It is there, but such that this cannot be done to it.
    case refused = 4
  }

  let status: Status
  let description: String

  static func noSuch(_ sentence: String) -> Refusal { Refusal(status: .notFound, description: sentence) }
  static func refused(_ sentence: String) -> Refusal { Refusal(status: .refused, description: sentence) }
}
