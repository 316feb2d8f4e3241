import Core

/// Labels as entered in one field: `env=prod, team=web`.
enum LabelField {
  static let longest = 4096

  static func text(of labels: Labels) -> String {
    labels.sorted.map { $0.value.text.isEmpty ? $0.key.text : "\($0.key)=\($0.value)" }.joined(separator: ", ")
  }

  /// Nil for invalid labels, or too many.
  static func labels(_ text: String) -> Labels? {
    guard text.isPlain(atMost: longest * 4) else { return nil }
    var values: [LabelKey: LabelValue] = [:]
    for word in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let key = LabelKey(String(parts[0])), let value = LabelValue(parts.count > 1 ? String(parts[1]) : ""),
        values.updateValue(value, forKey: key) == nil
      else { return nil }
    }
    return values.count <= Labels.maximumCount ? Labels(values) : nil
  }
}
