import Core

/// Translates the panel's texts to the reader's language.
struct Words: Sendable {
  let language: Language

  func callAsFunction(_ phrase: Phrase) -> String {
    switch language {
    case .english: phrase.english
    case .bulgarian: phrase.bulgarian
    }
  }

  /// The translation of a use case's message, which is in English.
  func callAsFunction(message: String) -> String {
    if let phrase = MessageTranslation.ofRepeatedForm(message) { return self(phrase) }
    return language == .english ? message : MessageTranslation.bulgarian(message) ?? message
  }

  /// The name of a principal: that of a token, or of a person's browser.
  func callAsFunction(principal name: String) -> String {
    name.isPlain(atMost: 64) && name == BrowserName.unknown ? self(.unknownBrowser) : name
  }

  /// The amount in the format of the API, followed by the currency.
  func amount(_ money: Money, _ currency: String) -> String { "\(money.decimal) \(currency)" }

  /// `2025-01-10 14:30 UTC`, which the script of the page converts to the reader's time zone.
  static func time(_ time: Timestamp) -> String {
    let text = time.wireFormat
    return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5)) UTC"
  }

  /// `2 h 5 min`, `41 s`.
  func duration(_ duration: Duration) -> String {
    let seconds = max(0, duration.milliseconds / 1000)
    let (hour, minute, second) = language == .english ? ("h", "min", "s") : ("ч", "мин", "с")
    if seconds >= 3600 { return "\(seconds / 3600) \(hour) \(seconds / 60 % 60) \(minute)" }
    return seconds >= 60 ? "\(seconds / 60) \(minute) \(seconds % 60) \(second)" : "\(seconds) \(second)"
  }

  /// 512 MiB, 4 GiB.
  static func memory(_ mebibytes: Int) -> String {
    mebibytes >= 1024 && mebibytes % 1024 == 0 ? "\(mebibytes / 1024) GiB" : "\(mebibytes) MiB"
  }
}
