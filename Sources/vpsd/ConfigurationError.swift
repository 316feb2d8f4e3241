/// Why the daemon does not start: everything that is wrong with its configuration, at once.
struct ConfigurationError: Error, Equatable, CustomStringConvertible {
  struct Problem: Equatable, CustomStringConvertible {
    /// `vpsd.yaml:3`, `VPSD_LISTEN`, `--driver`.
    let origin: String
    /// Nil where the file as a whole is meant.
    let key: String?
    let message: String

    var description: String { "\(origin): " + (key.map { "\($0): " } ?? "") + message }
  }

  let problems: [Problem]

  var lines: [String] { ["The configuration is not valid."] + problems.map { "  \($0)" } }

  var description: String { lines.joined(separator: "\n") }
}
