import API
import Core

/// The result of adding up the whole ledger.
struct LedgerSum: Record {
  var accountCount = 0
  var entryCount = 0
  var faultCount = 0
  /// The first faults only.
  var faults: [String] = []
  /// Whether nothing is charged at the moment because the clock is in doubt.
  var isClockDoubted = false

  static let headings = ["ACCOUNTS", "ENTRIES", "FAULTS"]
  var cells: [String] { ["\(accountCount)", "\(entryCount)", "\(faultCount)"] }

  var sentences: String {
    var lines = faults.map { $0.escaped() }
    if faultCount > faults.count { lines.append("and \(faultCount - faults.count) more") }
    if isClockDoubted { lines.append("Nothing is charged at the moment: see `vpsd credit confirm-clock`.") }
    if faultCount == 0 { lines.append("\(accountCount) account(s), \(entryCount) entries: the ledger adds up.") }
    return lines.joined(separator: "\n")
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("accounts", accountCount)
    writer.field("entries", entryCount)
    writer.field("ok", faultCount == 0)
    writer.field("fault_count", faultCount)
    writer.field("faults", faults) { $0.value($1) }
    writer.field("clock_doubted", isClockDoubted)
  }
}

/// The time that the operator has confirmed as right.
struct ConfirmedClock: Record {
  let confirmedAt: Timestamp
  /// From when on hours are charged.
  let billedUntil: Timestamp

  static let headings = ["CONFIRMED", "CHARGED FROM"]
  var cells: [String] { [confirmedAt.displayed, billedUntil.displayed] }

  func write(_ writer: inout JSONWriter) {
    writer.field("confirmed_at", confirmedAt)
    writer.field("charged_from", billedUntil)
  }
}
