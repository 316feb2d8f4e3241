import ArgumentParser
import Core

/// Throws where the value of an option breaks its rule.
func requireRule(_ rule: TextRule, _ text: String?, _ option: String) throws {
  if let message = text.flatMap(rule.violation) { throw ValidationError("\(option): \(message)") }
}

/// The same for a value that must not be empty.
func requireName(_ rule: TextRule, _ text: String?, _ option: String) throws {
  if text?.isEmpty == true { throw ValidationError("\(option): This may not be blank.") }
  try requireRule(rule, text, option)
}

func requireSlug(_ text: String?, _ option: String) throws {
  if let message = text.flatMap(Slug.violation) { throw ValidationError("\(option): \(message)") }
}

func requireRange(_ range: ClosedRange<Int>, _ number: Int?, _ option: String) throws {
  guard let number, !range.contains(number) else { return }
  throw ValidationError("\(option): \(range.lowerBound) to \(range.upperBound).")
}

/// Reads an amount, such as 0.005, exactly.
func amount(_ text: String, in range: ClosedRange<Money>, _ option: String) throws -> Money {
  guard let amount = Money(decimal: text), range.contains(amount) else {
    throw ValidationError(
      "\(option): \(text.quoted) is no amount: write a decimal number with 6 places at most, \(range.lowerBound.decimal) to "
        + "\(range.upperBound.decimal).")
  }
  return amount
}

/// The elements of a list with commas, without duplicates.
func elements(of list: String) -> [String] {
  var elements: [String] = []
  for element in list.utf8.split(separator: UInt8(ascii: ",")).map({ String($0) ?? "" })
  where !elements.contains(where: { $0.utf8.elementsEqual(element.utf8) }) {
    elements.append(element)
  }
  return elements
}

/// Throws where it is no valid name for a guest's account.
func requireUser(_ text: String?, _ option: String) throws {
  if let message = text.flatMap(OperatingSystem.usernameViolation) { throw ValidationError("\(option): \(message)") }
}
