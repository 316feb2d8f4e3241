import API
import Core

extension ConfigurationKey {
  /// For one of several services that each have a host of their own.
  static let ownHost: [ConfigurationKey] = [
    value(
      "host_name", \.hostName, default: "none",
      "The name of this machine's host, where several services on one server of PostgreSQL each have their own; a database has one service where it is none, and simulated_dir too",
      rule: "none, or \(hostNameRule), such as node1",
      parse: { $0 == "none" ? .some(nil) : isHostName($0) ? .some($0) : nil }, print: { $0 ?? "none" }),
    value(
      "host_location", \.hostLocation, default: "none",
      "The location of that host; none for every location that has no host of its own",
      rule: "none, or the code of a location",
      parse: { $0 == "none" ? .some(nil) : (1...64).contains($0.utf8.count) ? .some($0) : nil },
      print: { $0 ?? "none" }),
    value(
      "host_url", \.hostURL, default: "none",
      "Where browsers reach this service and no other one, for the consoles of that host's servers",
      rule: "none, or an http or https URL without a query, such as https://node1.example.com",
      parse: { $0 == "none" ? .some(nil) : PublicURL($0).map { .some($0) } }, print: { $0?.description ?? "none" }),
  ]

  static let hostNameRule = "1 to 63 letters, digits, dots and hyphens"

  static func isHostName(_ text: String) -> Bool {
    (1...63).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "-.".utf8.contains(byte)
      }
  }
}
