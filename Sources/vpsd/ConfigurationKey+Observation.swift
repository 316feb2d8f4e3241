import Core

/// Logs and metrics of the running service.
extension ConfigurationKey {
  static let metricsListen = "metrics_listen"

  static let observation: [ConfigurationKey] = [
    choice("log_level", \.logLevel, default: "info", "From which level on messages are logged"),
    choice(
      "log_format", \.logFormat, default: "text",
      "Whether a message is a line for people, or a JSON object for programs"),
    value(
      metricsListen, \.metricsListen, default: "none",
      "Where [figures for Prometheus](operating.md#figures) are, at `/metrics`, for everybody who reaches it; a port alone is one of 127.0.0.1",
      rule: "none, a port, or a host and a port, such as 9109 or 127.0.0.1:9109",
      parse: { text in
        if text == "none" { return .some(nil) }
        if let port = PortNumber.parse(text) { return ListenAddress(host: "127.0.0.1", port: port) }
        return ListenAddress(text).map { .some($0) }
      }, print: { $0?.description ?? "none" }),
  ]
}
