import Core
import HostNetwork

extension ConfigurationLoader {
  /// Settings with which servers on a bridge could not be reached, or could not reach others.
  func bridgeProblems(
    _ configuration: Configuration, _ file: ConfigurationFile?
  ) -> [ConfigurationError.Problem] {
    guard configuration.driver == .libvirt, configuration.network == .bridge else { return [] }
    func problem(_ key: String, _ message: String) -> ConfigurationError.Problem {
      .init(origin: origin(of: key, file), key: key, message: message)
    }
    var problems: [ConfigurationError.Problem] = []
    if configuration.bridge == nil {
      problems.append(problem("bridge", "network: bridge needs the name of a bridge that you have made, such as br0"))
    }
    let gateways = configuration.bridgeGateways
    for pool in configuration.addressPoolsHere where !pool.hasLoopback {
      problems += gateways.compactMap { gateway in
        guard IPv4Address(gateway.address.description).map({ pool.contains($0) }) == true else { return nil }
        return problem("bridge_gateways", "\(gateway.address) is in the pool \(pool): name it in reserved_addresses")
      }
      let ends = pool.ranges.flatMap { [$0.lowerBound, $0.upperBound] }
      if let lost = ends.first(where: { gateways.gateway(of: IPAddress($0)) == nil }) {
        problems.append(problem("bridge_gateways", "none of them is for \(lost), which is in the pool \(pool)"))
      }
    }
    for pool in configuration.addressPools6Here {
      if pool.givesNetworks {
        problems.append(
          problem("address_pool6", "\(pool) gives networks, which are routed: a bridge needs one of 64 bits or more"))
      } else if gateways.gateway(of: IPAddress(ofServerIn: pool.networks.lowerBound)) == nil {
        problems.append(problem("bridge_gateways", "none of them is for the IPv6 addresses of \(pool)"))
      }
      problems += gateways.compactMap { gateway in
        guard let address = IPv6Network(given: gateway.address.description), pool.contains(address) else { return nil }
        return problem("bridge_gateways", "\(gateway.address) is in \(pool), of which servers are given addresses")
      }
    }
    return problems
  }
}
