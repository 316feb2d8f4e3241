/// Adds up an account's ledger entry by entry, from the entries alone, and reports contradictions.
package struct LedgerProof {
  package struct Entry {
    let id: Int64
    let reason: LedgerReason
    let amount: Money
    let balance: Money
    let server: ID<Server>?
    let hourBeganAt: Timestamp?
    let number: Int64?

    package init(
      id: Int64, reason: LedgerReason, amount: Money, balance: Money, server: ID<Server>?, hourBeganAt: Timestamp?,
      number: Int64?
    ) {
      self.id = id
      self.reason = reason
      self.amount = amount
      self.balance = balance
      self.server = server
      self.hourBeganAt = hourBeganAt
      self.number = number
    }
  }

  private struct ServerMonth: Hashable {
    let server: ID<Server>
    let month: Int
  }

  /// The most faults that are kept of one account; further ones would tell nothing new.
  private static let mostFaults = 20

  package private(set) var count = 0
  private var balance = Money.zero
  private var held: [ID<Server>: Money] = [:]
  private var hours: [ServerMonth: Int] = [:]
  private var lastHour: [ID<Server>: Int64] = [:]
  private var found: [String] = []

  package init() {}

  package mutating func add(_ entry: Entry) {
    count += 1
    balance += entry.amount
    if entry.balance != balance {
      note("entry \(entry.id) leaves \(entry.balance.exactDecimal), and the sum is \(balance.exactDecimal)")
      balance = entry.balance
    }
    guard let server = entry.server else { return }
    switch entry.reason {
    case .hold, .release: held[server, default: .zero] -= entry.amount
    case .charge: addHour(entry, of: server)
    case .credit, .backup, .traffic, .refund: break
    }
  }

  private mutating func addHour(_ entry: Entry, of server: ID<Server>) {
    guard let number = entry.number, let beganAt = entry.hourBeganAt else { return }
    if let last = lastHour[server], number <= last {
      note("entry \(entry.id) charges hour \(number) of server \(server) after hour \(last)")
    }
    lastHour[server] = number
    let month = ServerMonth(server: server, month: beganAt.month)
    hours[month, default: 0] += 1
    if hours[month] == Tariff.maximumMonthlyHours + 1 {
      note("server \(server) paid for more than \(Tariff.maximumMonthlyHours) hours of \(month.month)")
    }
  }

  private mutating func note(_ fault: String) {
    if found.count < Self.mostFaults { found.append(fault) }
  }

  /// - Parameters:
  ///   - balance: The balance that is stored for the account.
  ///   - holds: The amounts that are stored as held for its servers, without those that hold nothing.
  package func faults(balance: Money, holds: [ID<Server>: Money]) -> [String] {
    var faults = found
    if balance != self.balance {
      faults.append("the balance is \(balance.exactDecimal), and the sum is \(self.balance.exactDecimal)")
    }
    if held.filter({ $0.value != .zero }) != holds {
      faults.append("what its servers hold is not what was set aside and not given back")
    }
    return faults
  }
}
