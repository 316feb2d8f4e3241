import Core
import SQLStore

extension HostedFleet {
  /// Throws where a location had its one Incus as a host, and now names members: its servers would be taken for those of a host that
  /// is gone, and be switched off by the member that they are on.
  static func requireRenamed(_ declared: [HostDeclaration], among hosts: [HostLoad]) throws {
    let names = Set(declared.map(\.name))
    for load in hosts where load.serverCount > 0 && load.host.driver == LocationDriver.incus.rawValue {
      guard !names.contains(load.host.name), let location = load.host.location,
        let member = declared.first(where: { $0.location == location }), load.host.name == "\(location)/1"
      else { continue }
      throw HostRefused(
        "members: the host \(load.host.name.quoted) has \(load.serverCount) server(s), and each host of \(location) is called after its "
          + "member now. Say which one they are on: vpsd host rename \(load.host.name) \(member.name)")
    }
  }
}

extension Configuration {
  /// Whether the host may be called so: as a host of another kind of its location, after the configuration was changed.
  func declares(_ name: String, insteadOf host: Host) -> Bool {
    hosts(servingLocations: [], hasLocalServers: false).contains {
      $0.name == name && $0.location == host.location && $0.driver == host.driver
    }
  }
}
