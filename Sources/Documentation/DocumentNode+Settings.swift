extension DocumentNode {
  private static let settingMember = "x-setting"
  private static let limits = ["maxItems", "maxLength", "maximum", "default"]

  /// The document with the operator's settings filled in. In a text, the number before a setting's name is replaced, as
  /// in "100 (`server_quota`)"; in a schema, the limit beside `x-setting`. A setting of 0 means no limit.
  package func showing(_ settings: [String: String], in words: PageWords = .english) -> DocumentNode {
    switch self {
    case .text(let text): .text(Self.text(text, showing: settings, words))
    case .list(let elements): .list(elements.map { $0.showing(settings, in: words) })
    case .object(let members): .object(Self.members(members, showing: settings, words))
    case .null, .flag, .number: self
    }
  }

  private static func text(_ text: String, showing settings: [String: String], _ words: PageWords) -> String {
    guard text.contains("(`") else { return text }
    return text.replacing(/[0-9]+ \(`([a-z_]+)`\)/) { match in
      guard let value = settings[String(match.output.1)] else { return String(match.output.0) }
      return "\(value == "0" ? words.unlimited : value) (`\(match.output.1)`)"
    }
  }

  private static func members(_ members: [Member], showing settings: [String: String], _ words: PageWords) -> [Member] {
    let value = members.first { $0.name == settingMember }?.value.string.flatMap { settings[$0] }
    return members.compactMap { member in
      guard let value, limits.contains(member.name), case .number = member.value else {
        return Member(member.name, member.value.showing(settings, in: words))
      }
      return value == "0" ? nil : Member(member.name, .number(value))
    }
  }
}
