/// What is charged in addition to the prices of plans, and what happens to accounts that cannot pay.
package struct Tariff: Sendable, Equatable {
  /// At most this many hours of a server are charged in a calendar month: four weeks of them.
  package static let maximumMonthlyHours = 672

  package var currency = "USD"
  /// The price of backups, in percent of the server's price.
  package var backupPercent = 20
  /// The price of a suspended server, in percent of its normal price.
  package var suspendedPercent = 0
  /// After how many days out of credit the servers of an account are deleted.
  package var suspensionDays = 30
  /// The price of a GB beyond the plan's monthly traffic; nil if it costs nothing.
  package var pricePerGB: Money?

  /// The speed, in Mbit/s, of a server that has used more traffic than its plan includes, until the month is over; nil
  /// for no limit.
  package var throttleMbit: Int?

  package init() {}

  package func cost(of hour: BilledHour) -> HourCost {
    guard hour.chargedInMonth < Self.maximumMonthlyHours else { return HourCost(server: .zero, backup: .zero) }
    if hour.isSuspended { return HourCost(server: hour.price.percent(suspendedPercent), backup: .zero) }
    return HourCost(server: hour.price, backup: hour.isBackupEnabled ? hour.price.percent(backupPercent) : .zero)
  }
}

/// A server's hour that is to be charged, with everything that its cost depends on.
package struct BilledHour: Sendable, Equatable {
  /// The server's price at the moment when the hour began.
  package let price: Money
  package let isBackupEnabled: Bool
  package let isSuspended: Bool
  /// How many hours of the same calendar month have been charged already.
  package let chargedInMonth: Int

  package init(price: Money, isBackupEnabled: Bool, isSuspended: Bool = false, chargedInMonth: Int = 0) {
    self.price = price
    self.isBackupEnabled = isBackupEnabled
    self.isSuspended = isSuspended
    self.chargedInMonth = chargedInMonth
  }
}

package struct HourCost: Sendable, Equatable {
  package let server: Money
  package let backup: Money

  package var total: Money { server + backup }

  package init(server: Money, backup: Money) {
    self.server = server
    self.backup = backup
  }
}

extension Money {
  /// Rounded to the nearest millionth; half of one is rounded up.
  func percent(_ percent: Int) -> Money { Money(microunits: (microunits * Int64(percent) + 50) / 100) }
}
