import Core

extension FieldReader {
  /// How many invalid labels are reported at most.
  private static let mostWrongLabels = 20

  /// All labels of a server: those that are left out are removed. Nil if the field is absent, or if something is wrong
  /// with it.
  mutating func labels(_ name: String) -> Labels? {
    guard let members = members(name) else { return nil }
    guard members.count <= Labels.maximumCount else {
      add(name, "Ensure this field has no more than \(Labels.maximumCount) labels.")
      return nil
    }
    var labels: [LabelKey: LabelValue] = [:]
    var errors = WireErrors()
    for member in members where errors.entries.count < Self.mostWrongLabels {
      let shownName = member.name.escaped(atMost: 64)
      guard let key = LabelKey(member.name) else {
        errors.add(shownName, Self.keyRule)
        continue
      }
      guard case .string(let text) = member.value else {
        errors.add(shownName, "Not a valid string.")
        continue
      }
      guard let value = LabelValue(text) else {
        errors.add(shownName, Self.valueRule)
        continue
      }
      labels[key] = value
    }
    guard errors.isEmpty else {
      add(name, inside: .fields(errors))
      return nil
    }
    return Labels(labels)
  }

  private static let keyRule =
    "Enter a valid key: 1 to \(LabelKey.maximumNameLength) letters, digits, '-', '_' and '.', with a letter or a digit at both "
    + "ends; before it there may be a domain in small letters and a slash."
  private static let valueRule =
    "Enter a valid value: nothing, or up to \(LabelValue.maximumLength) letters, digits, '-', '_' and '.', with a letter or a "
    + "digit at both ends."
}
