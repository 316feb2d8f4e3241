import Core

extension StringProtocol {
  /// Whether there is something in it that a terminal obeys.
  package var hasControl: Bool { unicodeScalars.contains { $0.isControl } }
}
