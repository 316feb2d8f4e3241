import CPostgreSQL
import Core

/// An error of a PostgreSQL server, or of the connection to it.
struct PostgreSQLError: Error {
  /// SQLSTATE; empty where the server did not send the error.
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
    // The server's message may contain the value.
    let text =
      switch state.prefix(2) {
      case "22": "a value does not fit"
      case "23": "a constraint is broken: \([field("t"), field("n")].compactMap(\.self).joined(separator: ", "))"
      default: field("M") ?? "no message"
      }
    self.init(state: state, text: text)
  }

  /// Whether a new connection may help: this one is gone, its server is shut down, read-only or out of connections.
  var endsConnection: Bool {
    state.isEmpty || state.hasPrefix("08") || state.hasPrefix("57P") || ["25006", "25P03", "53300"].contains(state)
  }

  /// Nothing was done, and another try may succeed: two transactions were in conflict.
  var isConflict: Bool { ["40001", "40P01"].contains(state) }

  /// Whether it passes by itself, or when the operator acts: the server is away, busy, full or slow, or refuses the login.
  private var passes: Bool {
    endsConnection || isConflict || state.hasPrefix("53") || state.hasPrefix("58")
      || ["57014", "55P03", "28P01", "28000", "3D000"].contains(state)
  }

  /// The error for the rest of the program: `StoreUnavailable` where it passes, otherwise an internal error.
  static func translated(_ error: any Error) -> any Error {
    guard let error = error as? PostgreSQLError else { return error }
    let text = error.state.isEmpty ? "PostgreSQL: \(error.text)" : "PostgreSQL \(error.state): \(error.text)"
    return error.passes ? StoreUnavailable(text) : Failure.internalError(text)
  }
}
