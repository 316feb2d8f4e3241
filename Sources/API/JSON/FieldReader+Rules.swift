import Core

/// Fields whose values are checked by a rule as they are read.
extension FieldReader {
  /// An exact amount, given as a text or a whole number: other JSON numbers are not exact.
  mutating func amount(_ name: String, isRequired: Bool, in range: ClosedRange<Money>) -> Money? {
    guard isRequired || has(name), let text = text(name, isRequired: isRequired) else { return nil }
    if let amount = Money(decimal: text), range.contains(amount) { return amount }
    add(
      name,
      "Enter an amount of \(range.lowerBound.decimal) to \(range.upperBound.decimal) as a text with 6 decimal places at "
        + "most.")
    return nil
  }

  mutating func integer(_ name: String, isRequired: Bool, in range: ClosedRange<Int>) -> Int? {
    guard let number = integer(name, isRequired: isRequired) else { return nil }
    if let number = Int(exactly: number), range.contains(number) { return number }
    add(name, "Enter a number of \(range.lowerBound) to \(range.upperBound).")
    return nil
  }

  mutating func string(_ name: String, isRequired: Bool, mayBeBlank: Bool = false, _ rule: TextRule) -> String? {
    string(name, isRequired: isRequired, mayBeBlank: mayBeBlank, violation: rule.violation)
  }

  mutating func slug(_ name: String, isRequired: Bool) -> String? {
    string(name, isRequired: isRequired, violation: Slug.violation)
  }

  mutating func string(
    _ name: String, isRequired: Bool, mayBeBlank: Bool = false, violation: (String) -> String?
  ) -> String? {
    guard let text = string(name, isRequired: isRequired, mayBeBlank: mayBeBlank) else { return nil }
    guard let message = violation(text) else { return text }
    add(name, message)
    return nil
  }

  /// One of the choices; nil without an error if the field is absent.
  mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(_ name: String, of type: Choice.Type) -> Choice?
  {
    has(name) ? choice(name, of: Choice.allCases.map { ($0.rawValue, $0) }) : nil
  }
}
