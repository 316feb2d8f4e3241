/// The answer to one question, as dig has printed it.
struct Answer: Equatable {
  struct Record: Equatable {
    /// In lower case, with a trailing dot.
    let owner: String
    let type: String
    /// The rest of the line.
    let data: String
  }

  /// In lower case, with a trailing dot.
  var question = ""
  var status = ""
  var isAuthoritative = false
  /// False for a question: dig takes its own for an answer where the kernel gives it the port of the server to send from,
  /// which servers share since they and dig set `SO_REUSEPORT`.
  var isResponse = false
  /// False where dig could not verify the signature.
  var isSigned = true
  var records: [Record] = []

  /// Why nothing about the name follows from this; nil where something does. A server that has failed, or an answer that
  /// nobody vouches for, does not say that a name is not there. Knot signs no refusal for a zone that it does not have.
  var failure: String? {
    if !isResponse { return "does not answer" }
    guard ["NOERROR", "NXDOMAIN", "REFUSED", "NOTAUTH"].contains(status) else { return "says \(status)" }
    return isSigned || ["REFUSED", "NOTAUTH"].contains(status) ? nil : "answers without a valid signature"
  }

  /// The zone that the name in question is in.
  var zone: String? { records.first { $0.type == "SOA" }?.owner }

  /// The target of the name's CNAME record, in lower case; nil where it has none.
  func alias(of name: String) -> String? {
    records.first { $0.type == "CNAME" && $0.owner == name }.map { $0.data.lowercased() }
  }

  /// Reads a whole output with comments: an answer for each question that was answered.
  static func all(in output: String) -> [Answer] {
    var answers: [Answer] = []
    var isSigned = true
    for line in output.split(whereSeparator: \.isNewline) {
      if line.hasPrefix(";; Couldn't verify signature") || line.contains("TSIG error") {
        isSigned = false
      } else if line.hasPrefix(";; ->>HEADER<<-") {
        answers.append(Answer())
        answers[answers.count - 1].status = word(after: "status: ", in: line)
        answers[answers.count - 1].isSigned = isSigned
        isSigned = true
      } else if !answers.isEmpty {
        answers[answers.count - 1].read(line)
      }
    }
    return answers
  }

  /// The records of an output without comments.
  static func records(in output: String) -> [Record] {
    output.split(whereSeparator: \.isNewline).compactMap { $0.hasPrefix(";") ? nil : record($0) }
  }

  private mutating func read(_ line: Substring) {
    if line.hasPrefix(";; flags:") {
      let flags = line.dropFirst(";; flags:".count).prefix { $0 != ";" }.split(separator: " ")
      (isResponse, isAuthoritative) = (flags.contains("qr"), flags.contains("aa"))
    } else if line.hasPrefix(";"), !line.hasPrefix(";;"), !line.hasPrefix("; "), question.isEmpty {
      question = line.dropFirst().prefix { !$0.isWhitespace }.lowercased()
    } else if !line.hasPrefix(";"), let record = Self.record(line) {
      records.append(record)
    }
  }

  private static func record(_ line: Substring) -> Record? {
    let words = line.split(maxSplits: 4, whereSeparator: { $0 == " " || $0 == "\t" })
    guard words.count == 5, words[2] == "IN" else { return nil }
    return Record(owner: words[0].lowercased(), type: String(words[3]), data: String(words[4]))
  }

  private static func word(after label: String, in line: Substring) -> String {
    guard let start = line.firstRange(of: label)?.upperBound else { return "" }
    return String(line[start...].prefix { $0.isLetter })
  }
}
