/// A text of the panel in all its languages.
struct Phrase: Sendable {
  let english: String
  let bulgarian: String

  init(_ english: String, _ bulgarian: String) {
    self.english = english
    self.bulgarian = bulgarian
  }
}
