import Core

extension ConfigurationLoader {
  /// Locations on an Incus that could not be as they are, or of which something would be promised that nobody keeps.
  func incusProblems(
    _ configuration: Configuration, _ file: ConfigurationFile?
  ) -> [ConfigurationError.Problem] {
    var places: [String: String] = [:]
    return (file?.locations ?? []).flatMap { section -> [ConfigurationError.Problem] in
      guard let settings = configuration.locations[section.code] else { return [] }
      func problem(_ key: String, _ message: String) -> ConfigurationError.Problem {
        .init(
          origin: section.origin, key: "\(ConfigurationFile.locationsKey).\(section.code).\(key)", message: message)
      }
      guard settings.driver == .incus else {
        let others = section.entries.map(\.key).filter { key in LocationKey.incus.contains { $0.name == key } }
        return others.map { problem($0, "it is for a location with driver: incus") }
      }
      var found = [settings.incus.contradiction.map { problem($0.key, $0.message) }].compactMap { $0 }
      found += Self.promises(configuration, settings).map { problem($0.key, $0.message) }
      let others = settings.incus.places.compactMap { places.updateValue(section.code, forKey: $0) }
      if let other = others.first(where: { $0 != section.code }) {
        found.append(problem("driver", "\(other) is the same project of the same Incus: give each one of its own"))
      }
      return found
    }
  }

  private static func promises(
    _ configuration: Configuration, _ settings: LocationSettings
  ) -> [(key: String, message: String)] {
    var found: [(key: String, message: String)] = []
    if settings.hosts != nil {
      found.append(("hosts", "its members are its hosts (members); this is for simulated ones"))
    }
    if settings.incus.isRouted { return found + routedPromises(configuration, settings) }
    if !(settings.addressPool ?? configuration.addressPool).isLoopback {
      found.append(
        (
          "address_pool",
          "its servers are reached at addresses of the loopback: give a network in 127.0.0.0/8, or say network: routed"
        ))
    }
    if settings.addressPool6 != nil {
      found.append(("address_pool6", "the loopback has no IPv6 for its servers; with network: routed they have"))
    }
    if configuration.bandwidthOverage != .none {
      found.append(
        (
          "driver",
          "with bandwidth_overage: \(configuration.bandwidthOverage.rawValue) traffic has to be counted, and that of containers at "
            + "loopback addresses is not; with network: routed it is"
        ))
    }
    return found + sharedPromises(configuration, settings)
  }

  private static func routedPromises(
    _ configuration: Configuration, _ settings: LocationSettings
  ) -> [(key: String, message: String)] {
    var found: [(key: String, message: String)] = []
    if (settings.addressPool ?? configuration.addressPool).hasLoopback {
      found.append(("address_pool", "nothing is routed to addresses of the loopback: give its servers others"))
    }
    if configuration.driver == .libvirt, configuration.network == .bridge {
      found.append(
        ("network", "servers of this machine are ports of a bridge, beside which it routes to no others: say loopback"))
    }
    return found + sharedPromises(configuration, settings)
  }

  private static func sharedPromises(
    _ configuration: Configuration, _ settings: LocationSettings
  ) -> [(key: String, message: String)] {
    guard configuration.sharesHosts, settings.incus.socket != nil else { return [] }
    return [
      (
        "socket",
        "which of several services an Incus heeds it tells by their certificates, and a socket asks for none: give its url"
      )
    ]
  }
}
