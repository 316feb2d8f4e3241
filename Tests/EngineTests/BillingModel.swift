import Core
import TestSupport

/// What everything should cost, by a sum of its own that knows nothing of the store: hours from the create, at the price that
/// held when they began, in their order, as long as there is credit.
struct BillingModel {
  struct Server {
    let account: ID<Account>
    let createdAt: Timestamp
    var prices: [(from: Timestamp, price: Money)]
    var hasBackups = false
    var isSuspendedByOperator = false
    var isDeleted = false
    /// Whether it was taken down, and is to be brought back.
    var isDown = false
    var nextHour: Int64 = 1
    /// The hours that were paid for, with the month in which they began.
    var paidHours: [Int64: Int] = [:]
    var hoursWithBackups: Set<Int64> = []

    func begin(of hour: Int64) -> Timestamp { createdAt + .seconds(3600 * hour) }

    func price(at time: Timestamp) -> Money { prices.last { $0.from <= time }?.price ?? prices[0].price }
  }

  enum Unpaid {
    case suspend, leave, forgive
  }

  var balances: [ID<Account>: Money] = [:]
  var outOfCredit: Set<ID<Account>> = []
  var servers: [ID<Core.Server>: Server] = [:]
  private(set) var charged = Money.zero

  mutating func create(_ id: ID<Core.Server>, of account: ID<Account>, price: Money, at createdAt: Timestamp) {
    var server = Server(account: account, createdAt: createdAt, prices: [(createdAt, price)])
    server.paidHours[0] = createdAt.month
    servers[id] = server
    pay(price, account)
  }

  private mutating func pay(_ amount: Money, _ account: ID<Account>) {
    balances[account, default: .zero] -= amount
    charged += amount
  }

  private func isSuspended(_ server: Server) -> Bool {
    server.isSuspendedByOperator || outOfCredit.contains(server.account)
  }

  /// A look of the meter.
  mutating func look(at now: Timestamp) {
    liftAndApply(at: now)
    chargeAll(at: now)
    liftAndApply(at: now)
  }

  private mutating func liftAndApply(at now: Timestamp) {
    for account in outOfCredit { lift(account, at: now) }
    for (id, server) in servers where !server.isDeleted {
      if isSuspended(server) {
        servers[id]?.isDown = true
      } else if server.isDown {
        bringBack(id, at: now)
      }
    }
  }

  private mutating func chargeAll(at now: Timestamp) {
    while true {
      let due = servers.filter { !$0.value.isDeleted && $0.value.begin(of: $0.value.nextHour) <= now }
        .min { one, other in
          let (first, second) = (one.value.begin(of: one.value.nextHour), other.value.begin(of: other.value.nextHour))
          return first == second ? one.key < other.key : first < second
        }
      guard let due, charge(due.key, .suspend) else { return }
    }
  }

  /// Only this server's, before something about it changes.
  mutating func settle(_ id: ID<Core.Server>, _ unpaid: Unpaid = .leave, at now: Timestamp) {
    while let server = servers[id], !server.isDeleted, server.begin(of: server.nextHour) <= now, charge(id, unpaid) {}
  }

  private mutating func charge(_ id: ID<Core.Server>, _ unpaid: Unpaid) -> Bool {
    guard var server = servers[id] else { return false }
    let hour = server.nextHour
    let begin = server.begin(of: hour)
    let isFree = server.paidHours.values.count { $0 == begin.month } >= 672
    let price = server.price(at: begin)
    let backups = server.hasBackups ? Money(microunits: (price.microunits * 20 + 50) / 100) : .zero
    let cost = isFree || isSuspended(server) ? .zero : price + backups
    if cost > balances[server.account] ?? .zero {
      switch unpaid {
      case .leave: return false
      case .suspend: outOfCredit.insert(server.account)
      case .forgive: break
      }
    } else if cost > .zero {
      pay(cost, server.account)
      server.paidHours[hour] = begin.month
      if backups > .zero { server.hoursWithBackups.insert(hour) }
    }
    server.nextHour = hour + 1
    servers[id] = server
    return true
  }

  mutating func add(_ amount: Money, to account: ID<Account>, at now: Timestamp) {
    balances[account, default: .zero] += amount
    lift(account, at: now)
  }

  private mutating func lift(_ account: ID<Account>, at now: Timestamp) {
    guard outOfCredit.contains(account) else { return }
    let own = servers.filter { $0.value.account == account && !$0.value.isDeleted }
    let needed = own.values.filter { !$0.isSuspendedByOperator }.map { server in
      // The hour that runs costs what it cost when it began.
      let running = server.prices.indices.filter { index in
        index + 1 == server.prices.count || server.prices[index + 1].from > now - .seconds(3600)
      }
      let price = running.map { server.prices[$0].price }.max() ?? .zero
      return server.hasBackups ? price + Money(microunits: (price.microunits * 20 + 50) / 100) : price
    }.reduce(Money.zero, +)
    guard balances[account] ?? .zero >= needed else { return }
    for id in own.keys { settle(id, at: now) }
    outOfCredit.remove(account)
  }

  /// The hour that runs is paid, unless it was; those that it was down for are not.
  private mutating func bringBack(_ id: ID<Core.Server>, at now: Timestamp) {
    guard var server = servers[id] else { return }
    server.isDown = false
    if server.begin(of: server.nextHour) <= now {
      server.nextHour = (now - server.createdAt).milliseconds / 3_600_000
    } else if server.nextHour > 0, server.paidHours[server.nextHour - 1] == nil {
      server.nextHour -= 1
    }
    servers[id] = server
  }

  mutating func setPrice(_ price: Money, of id: ID<Core.Server>, at now: Timestamp) {
    guard let server = servers[id], server.prices.last?.price != price else { return }
    servers[id]?.prices.append((max(now, server.prices.last?.from ?? now), price))
  }

  mutating func resize(_ id: ID<Core.Server>, to price: Money, at now: Timestamp) {
    guard let server = servers[id] else { return }
    let highest = server.prices.map(\.price).max() ?? .zero
    setPrice(price, of: id, at: now)
    if server.paidHours.count == 1, server.paidHours[0] != nil, now < server.begin(of: 1), price > highest {
      pay(min(price - highest, balances[server.account] ?? .zero), server.account)
    }
  }

  mutating func setBackups(_ isOn: Bool, of id: ID<Core.Server>, at now: Timestamp) {
    settle(id, at: now)
    guard let server = servers[id] else { return }
    servers[id]?.hasBackups = isOn
    let hour = server.nextHour - 1
    guard isOn, !isSuspended(server), server.paidHours[hour] != nil, !server.hoursWithBackups.contains(hour) else {
      return
    }
    let cost = Money(microunits: (server.price(at: server.begin(of: hour)).microunits * 20 + 50) / 100)
    guard cost <= balances[server.account] ?? .zero else { return }
    pay(cost, server.account)
    servers[id]?.hoursWithBackups.insert(hour)
  }

  mutating func delete(_ id: ID<Core.Server>, at now: Timestamp) {
    settle(id, .forgive, at: now)
    servers[id]?.isDeleted = true
  }
}
