/// Everything that is wrong with a configuration, which keeps the daemon from starting.
struct ConfigurationError: Error, Equatable, CustomStringConvertible {
  struct Problem: Equatable, CustomStringConvertible {
    /// `vpsd.yaml:3`, `VPSD_LISTEN`, `--driver`.
    let origin: String
    /// Nil for a problem of the whole file.
    let key: String?
    let message: String

    var description: String { "\(origin): " + (key.map { "\($0): " } ?? "") + message }
  }

  let problems: [Problem]

  var lines: [String] { ["The configuration is not valid."] + problems.map { "  \($0)" } }

  var description: String { lines.joined(separator: "\n") }
}
