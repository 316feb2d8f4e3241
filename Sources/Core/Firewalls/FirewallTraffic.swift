/// A protocol above IP, by its usual name.
package enum IPProtocol: String, Codable, Sendable, CaseIterable {
  case tcp, udp
  /// ICMP of both IPv4 and IPv6.
  case icmp
  case gre, esp

  package var hasPorts: Bool { self == .tcp || self == .udp }
}

/// What a rule allows: a protocol and, if that has ports, its ports.
package enum FirewallTraffic: Hashable, Sendable {
  case tcp(FirewallPorts)
  case udp(FirewallPorts)
  case icmp, gre, esp

  /// Nil if the protocol has ports and none are given, or the other way round.
  package init?(_ ipProtocol: IPProtocol, _ ports: FirewallPorts?) {
    switch (ipProtocol, ports) {
    case (.tcp, let ports?): self = .tcp(ports)
    case (.udp, let ports?): self = .udp(ports)
    case (.icmp, nil): self = .icmp
    case (.gre, nil): self = .gre
    case (.esp, nil): self = .esp
    case (.tcp, nil), (.udp, nil), (.icmp, _), (.gre, _), (.esp, _): return nil
    }
  }

  package var ipProtocol: IPProtocol {
    switch self {
    case .tcp: .tcp
    case .udp: .udp
    case .icmp: .icmp
    case .gre: .gre
    case .esp: .esp
    }
  }

  package var ports: FirewallPorts? {
    switch self {
    case .tcp(let ports), .udp(let ports): ports
    case .icmp, .gre, .esp: nil
    }
  }
}

/// One port, `22`, a range of ports, `80-85`, or `any`. Each has only one valid spelling.
package struct FirewallPorts: Hashable, Sendable, CustomStringConvertible {
  package static let any = FirewallPorts(range: nil)
  package static let rule =
    "Enter a port from 1 to 65535, like \"22\", a range of ports, like \"80-85\", or \"any\"."

  /// Nil for any.
  package let range: ClosedRange<UInt16>?

  private init(range: ClosedRange<UInt16>?) {
    self.range = range
  }

  package init?(_ text: String) {
    guard text.isPlain(atMost: 11) else { return nil }
    if text == "any" {
      range = nil
      return
    }
    let numbers = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
    guard (1...2).contains(numbers.count), let first = numbers[0], let last = numbers[numbers.count - 1], first > 0,
      numbers.count == 1 || first < last
    else { return nil }
    range = first...last
    // This refuses signs and leading zeros.
    guard description == text else { return nil }
  }

  package var description: String {
    guard let range else { return "any" }
    return range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
  }
}
