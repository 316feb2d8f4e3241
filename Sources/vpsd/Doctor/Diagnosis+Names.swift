import Core
import ReverseDNS

extension Diagnosis {
  static func names(_ facts: HostFacts) -> [Finding] {
    let fault = facts.namingFault.map { fault in
      Finding.error(
        .rdns, fault, "the service does not start", remedy: "mend it (docs/reverse-dns.md), then: vpsd check")
    }
    let refused = facts.refusedNames.map { names in
      Finding.warning(
        .rdns, "\(names.count) name(s) of addresses at \(names.location) are refused: \(names.reason)",
        "what these addresses are called is not what their customers see", remedy: "vpsd rdns list --refused")
    }
    return [fault].compactMap(\.self) + facts.nameTroubles.map(finding) + refused
  }

  private static func finding(_ trouble: HostFacts.NameTrouble) -> Finding {
    let (location, server) = (trouble.locations.joined(separator: ", "), trouble.server)
    switch trouble.kind {
    case .silent(let reason):
      return .error(
        .rdns, "the DNS server \(server) of \(location) does not answer: \(reason)",
        "new names of addresses wait until it does, and none is lost", remedy: question(trouble))
    case .keyIsRefused:
      return .error(
        .rdns, "the DNS server \(server) of \(location) does not accept the key in \(trouble.keyFile)",
        "no name of an address changes there",
        remedy: "give it that key, and both clocks the same time (docs/reverse-dns.md); then: vpsd rdns retry")
    case .homeless(let addresses):
      let others = addresses.count > 1 ? ", nor for \(addresses.count - 1) more that were looked for" : ""
      return .error(
        .rdns, "the DNS server \(server) of \(location) has no zone for \(addresses[0].reverseName)\(others)",
        "names of such addresses are refused, and tried again every hour",
        remedy: "add the zone, then: vpsd rdns retry  (or set rdns.server to none for \(location))")
    }
  }

  private static func question(_ trouble: HostFacts.NameTrouble) -> String {
    let server = trouble.server
    return "dig @\(server.address) -p \(server.port) -k \(trouble.keyFile) -x \(trouble.address)"
  }
}
