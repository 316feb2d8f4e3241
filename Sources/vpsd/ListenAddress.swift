import Core
import Foundation

/// The address at which the service listens: `127.0.0.1:8080`, `localhost:8080`, `[::1]:8080`. Port 0 lets the system choose
/// one.
struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  /// Without the brackets of an IPv6 address.
  let host: String
  let port: Int

  init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// A host is required: `0.0.0.0` or `[::]` mean all addresses.
  init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = PortNumber.parse(text[text.index(after: colon)...]) else {
      return nil
    }
    let host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      let address = String(host.dropFirst().dropLast())
      var parsed = in6_addr()
      guard inet_pton(AF_INET6, address, &parsed) == 1 else { return nil }
      self.init(host: address, port: port)
    } else {
      guard IPv4Address(host) != nil || Hostname(String(host)) != nil else { return nil }
      self.init(host: String(host), port: port)
    }
  }

  /// The address to use on this machine: for all addresses, that of the loopback.
  var local: ListenAddress {
    switch host {
    case "0.0.0.0": ListenAddress(host: "127.0.0.1", port: port)
    case "::": ListenAddress(host: "::1", port: port)
    default: self
    }
  }

  /// Whether only this machine can reach the address.
  var isLoopback: Bool {
    host == "localhost" || host == "::1" || IPv4Address(host).map { $0.number >> 24 == 127 } == true
  }

  var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

enum PortNumber {
  /// Reads 0 to 65535 in plain digits.
  static func parse(_ text: some StringProtocol) -> Int? {
    guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }), let port = Int(text),
      port <= 65_535
    else { return nil }
    return port
  }
}
