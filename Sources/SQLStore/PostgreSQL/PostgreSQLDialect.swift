/// Translates the shared SQL text for PostgreSQL: parameters, the names of two functions, and hints about indexes.
enum PostgreSQLDialect {
  private static let functions = ["lower": "vpsd_lower", "group_concat": "string_agg"]

  /// - `?` and `?1` become `$1`: one without a number is the one after the greatest so far, as in SQLite.
  /// - `lower` becomes `vpsd_lower`, which handles all alphabets whatever locale the database was made with. SQLite has a
  ///   function of ours, too.
  /// - `INDEXED BY name` is left out. It is for SQLite, which has no statistics and may take another partial index.
  static func translated(_ sql: String) -> String {
    var output = ""
    var rest = Substring(sql)
    var greatest = 0
    while let character = rest.first {
      if character == "'" {
        let end = rest.dropFirst().firstIndex(of: "'").map { rest.index(after: $0) } ?? rest.endIndex
        output += rest[..<end]
        rest = rest[end...]
      } else if character == "?" {
        let digits = rest.dropFirst().prefix(while: \.isNumber)
        let number = Int(digits) ?? greatest + 1
        greatest = max(greatest, number)
        output += "$\(number)"
        rest = rest[digits.endIndex...]
      } else if character.isLetter || character == "_" {
        let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        rest = rest[word.endIndex...]
        guard word != "INDEXED" else {
          rest = rest.dropFirst(" BY ".count).drop { $0.isLetter || $0.isNumber || $0 == "_" }.dropFirst()
          continue
        }
        output += rest.first == "(" ? functions[String(word)] ?? String(word) : String(word)
      } else {
        output.append(character)
        rest = rest.dropFirst()
      }
    }
    return output
  }
}
