/// In which an account is written to.
package enum Language: String, Sendable, CaseIterable {
  case english = "en"
  case bulgarian = "bg"
}
