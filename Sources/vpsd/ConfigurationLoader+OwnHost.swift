import Core

extension ConfigurationLoader {
  /// Settings with which a service cannot have a host of its own beside other services.
  func ownHostProblems(
    _ configuration: Configuration, _ file: ConfigurationFile?
  ) -> [ConfigurationError.Problem] {
    func problem(_ key: String, _ message: String) -> ConfigurationError.Problem {
      .init(origin: origin(of: key, file), key: key, message: message)
    }
    guard configuration.hostName != nil else {
      let others = [
        ("host_location", configuration.hostLocation != nil), ("host_url", configuration.hostURL != nil),
      ]
      return others.filter(\.1).map { problem($0.0, "it is for a service with a host_name") }
    }
    var problems: [ConfigurationError.Problem] = []
    if configuration.database == nil {
      problems.append(
        problem("host_name", "it is for several services on one database, which must be one of PostgreSQL"))
    }
    if configuration.simulatedDirectory != nil {
      problems.append(problem("simulated_dir", "hosts are shared by all services, or each has a host_name of its own"))
    }
    if configuration.hostURL == nil {
      problems.append(problem("host_url", "a service with a host_name needs it, for the consoles of its servers"))
    }
    if let code = configuration.locations.filter({ $0.value.driver != nil }).keys.min() {
      problems.append(
        problem("host_name", "the location \(code) has hosts that belong to no machine: leave out its driver"))
    }
    guard configuration.driver == .libvirt else { return problems }
    switch configuration.network {
    case .loopback:
      problems.append(
        problem("network", "other machines do not reach the loopback addresses of this one: routed or bridge"))
    case .routed where configuration.hostLocation == nil:
      problems.append(
        problem("host_location", "a pool is routed to one machine: name the location whose pool this one has"))
    case .routed, .bridge: break
    }
    return problems
  }
}
