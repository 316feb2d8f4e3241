import Core

extension Configuration {
  enum BandwidthOverage: String, Sendable, CaseIterable {
    /// Traffic beyond the plan's costs nothing.
    case none
    case price
    /// The server's network is slow until the end of the month.
    case throttle
  }

  /// The charges that follow from all settings together.
  var tariff: Tariff {
    var tariff = rates
    tariff.pricePerGB = bandwidthOverage == .price ? bandwidthPrice : nil
    tariff.throttleMbit = bandwidthOverage == .throttle ? bandwidthThrottle : nil
    return tariff
  }
}

extension ConfigurationKey {
  static let billing: [ConfigurationKey] = [
    value(
      "currency", \.rates.currency, default: "USD", "In which currency prices and balances are",
      rule: "the three capital letters of a currency, such as EUR",
      parse: { text in
        text.utf8.count == 3 && text.utf8.allSatisfy { (65...90).contains($0) } ? text : nil
      },
      print: { $0 }),
    amount(
      "backup_price_percent", \.rates.backupPercent, default: "20",
      "What an hour of automatic backups costs, in percent of the server's price", 0...1000),
    amount(
      "suspended_price_percent", \.rates.suspendedPercent, default: "0",
      "What an hour of a suspended server costs, in percent of its price", 0...100),
    amount(
      "suspension_days", \.rates.suspensionDays, default: "30",
      "After how many days out of credit the servers of an account are deleted", 1...3650),
    choice(
      "bandwidth_overage", \.bandwidthOverage, default: "none",
      "What becomes of traffic beyond a server's plan in a calendar month: nothing, bandwidth_price a GB, or a network that is slow until the month is over"
    ),
    amount(
      "bandwidth_throttle", \.bandwidthThrottle, default: "10",
      "How slow, in Mbit/s and each direction, with bandwidth_overage: throttle; only a routed network and a bridge can be",
      1...100_000),
    value(
      "bandwidth_price", \.bandwidthPrice, default: "0.01", "The price of a GB, with bandwidth_overage: price",
      rule: "an amount from 0 to 1000 with at most six decimal places, such as 0.01",
      parse: { text in
        guard let price = Money(decimal: text), price >= .zero, price <= Money(microunits: 1_000_000_000) else {
          return nil
        }
        return price
      },
      print: \.decimal),
  ]
}
