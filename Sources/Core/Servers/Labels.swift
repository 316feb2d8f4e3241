/// The key of a label by the rules of Kubernetes: a name, optionally after a domain and a slash.
package struct LabelKey: Hashable, Sendable, Comparable, CustomStringConvertible {
  package static let maximumNameLength = 63
  package static let maximumPrefixLength = 253

  package let text: String

  package init?(_ text: String) {
    guard text.isPlain(atMost: Self.maximumPrefixLength + 1 + Self.maximumNameLength) else { return nil }
    let parts = text.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count <= 2, let name = parts.last, LabelText.isValid(name), !name.isEmpty else { return nil }
    if parts.count == 2 {
      // A domain in lower case.
      guard parts[0].utf8.count <= Self.maximumPrefixLength, Hostname(String(parts[0])) != nil,
        !parts[0].utf8.contains(where: { (0x41...0x5A).contains($0) })
      else { return nil }
    }
    self.text = text
  }

  package var description: String { text }

  package static func < (a: LabelKey, b: LabelKey) -> Bool { a.text.utf8.lexicographicallyPrecedes(b.text.utf8) }
}

/// The value of a label by the rules of Kubernetes; it may be empty.
package struct LabelValue: Hashable, Sendable, CustomStringConvertible {
  package static let maximumLength = 63

  package let text: String

  package init?(_ text: String) {
    guard LabelText.isValid(text) else { return nil }
    self.text = text
  }

  package var description: String { text }
}

private enum LabelText {
  /// Whether the text is empty, or at most 63 letters, digits, `-`, `_` and `.` that begin and end with a letter or
  /// digit.
  static func isValid(_ text: some StringProtocol) -> Bool {
    guard text.utf8.count <= LabelValue.maximumLength else { return false }
    let bytes = Array(text.utf8)
    guard let first = bytes.first, let last = bytes.last else { return true }
    return isAlphanumeric(first) && isAlphanumeric(last)
      && bytes.allSatisfy { isAlphanumeric($0) || "-_.".utf8.contains($0) }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: false
    }
  }
}

/// The labels that a customer gives a server.
package struct Labels: Sendable, Equatable {
  package static let maximumCount = 64

  package let values: [LabelKey: LabelValue]

  package static let none = Labels([:])

  package init(_ values: [LabelKey: LabelValue]) {
    self.values = values
  }

  package var isEmpty: Bool { values.isEmpty }

  /// Sorted by key.
  package var sorted: [(key: LabelKey, value: LabelValue)] {
    values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}
