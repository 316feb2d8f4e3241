import CPostgreSQL
import Core

/// What a server of PostgreSQL, or the way to it, says to be wrong.
struct PostgreSQLError: Error {
  /// SQLSTATE; empty where no server said it.
  let state: String
  /// Without the statement and its arguments: this is logged.
  let text: String

  /// The connection is of no use any more.
  static func lost(_ text: String) -> PostgreSQLError { PostgreSQLError(state: "", text: text) }

  init(state: String, text: String) {
    self.state = state
    self.text = String(text.prefix(300).map { $0.isNewline ? " " : $0 })
  }

  init(_ result: PostgreSQLResult) {
    func field(_ code: Character) -> String? {
      PQresultErrorField(result.pointer, CInt(code.asciiValue ?? 0)).map { String(cString: $0) }
    }
    let state = field("C") ?? ""
    // What is wrong with a value may be told by the value.
    let text =
      switch state.prefix(2) {
      case "22": "a value does not fit"
      case "23": "a constraint is broken: \([field("t"), field("n")].compactMap(\.self).joined(separator: ", "))"
      default: field("M") ?? "no message"
      }
    self.init(state: state, text: text)
  }

  /// Another connection may lead to a server that can do it: this one is gone, being shut down, or may only be read.
  var endsConnection: Bool {
    state.isEmpty || state.hasPrefix("08") || state.hasPrefix("57P") || ["25006", "25P03", "53300"].contains(state)
  }

  /// Nothing was done, and the same may succeed now: two transactions were in each other's way.
  var isConflict: Bool { ["40001", "40P01"].contains(state) }

  /// It passes by itself, or when the operator makes room: the server is away, too busy, out of room or too slow.
  private var passes: Bool {
    endsConnection || isConflict || state.hasPrefix("53") || state.hasPrefix("58")
      || ["57014", "55P03", "28P01", "28000", "3D000"].contains(state)
  }

  /// As the rest of the program knows it.
  static func translated(_ error: any Error) -> any Error {
    guard let error = error as? PostgreSQLError else { return error }
    let text = error.state.isEmpty ? "PostgreSQL: \(error.text)" : "PostgreSQL \(error.state): \(error.text)"
    return error.passes ? StoreUnavailable(text) : Failure.internalError(text)
  }
}
