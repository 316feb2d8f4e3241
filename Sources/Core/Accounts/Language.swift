/// The language of the messages sent to an account's owner.
package enum Language: String, Sendable, CaseIterable {
  case english = "en"
  case bulgarian = "bg"
}
