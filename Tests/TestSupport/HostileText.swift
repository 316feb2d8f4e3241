import Core

extension StringProtocol {
  /// Whether it contains a character that controls a terminal.
  package var hasControl: Bool { unicodeScalars.contains { $0.isControl } }
}
