/// Lets its bearer open one console, once. The text is handed out; only its hash is stored.
package struct ConsoleTicket: Sendable, CustomStringConvertible {
  package let text: String

  /// Nil for a text that no ticket can have.
  package init?(_ text: some StringProtocol) {
    guard RandomText.isPossible(text) else { return nil }
    self.text = String(text)
  }

  private init(random: String) {
    text = random
  }

  package static func random() -> ConsoleTicket { ConsoleTicket(random: RandomText.make()) }

  var hash: String { SHA256.hexadecimal(Array(text.utf8)) }

  package var description: String { "…" }
}
