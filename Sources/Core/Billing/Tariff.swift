/// What is charged beside the prices of plans, and what becomes of those who cannot pay.
package struct Tariff: Sendable, Equatable {
  /// Of a calendar month no more hours of a server are charged than this: four weeks of them.
  package static let maximumMonthlyHours = 672

  package var currency = "USD"
  /// Of the server's price, while its backups are on.
  package var backupPercent = 20
  /// Of the server's price, while it is suspended.
  package var suspendedPercent = 0
  /// After how many days out of credit the servers of an account are deleted.
  package var suspensionDays = 30
  /// Of a GB beyond what a plan has for a month; nil where that costs nothing.
  package var pricePerGB: Money?

  /// To which a server is held that had more than that, until the month is over; nil where it is not.
  package var throttleMbit: Int?

  package init() {}

  package func cost(of hour: BilledHour) -> HourCost {
    guard hour.chargedInMonth < Self.maximumMonthlyHours else { return HourCost(server: .zero, backup: .zero) }
    if hour.isSuspended { return HourCost(server: hour.price.percent(suspendedPercent), backup: .zero) }
    return HourCost(server: hour.price, backup: hour.isBackupEnabled ? hour.price.percent(backupPercent) : .zero)
  }
}

/// An hour of a server that is to be paid for, with all that it costs depends on.
package struct BilledHour: Sendable, Equatable {
  /// Of the server, at the moment at which the hour began.
  package let price: Money
  package let isBackupEnabled: Bool
  package let isSuspended: Bool
  /// How many hours of its calendar month were charged already.
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
  /// To the nearest millionth; a half of one counts as a whole.
  func percent(_ percent: Int) -> Money { Money(microunits: (microunits * Int64(percent) + 50) / 100) }
}
