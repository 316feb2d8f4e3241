import API
import Core
import Foundation
import SimulatedDriver

/// The settings of one location. Anything nil is as configured outside of `locations`.
struct LocationSettings: Sendable, Equatable {
  /// The driver of the location's own hosts; nil for a location on this machine.
  var driver: LocationDriver?
  /// Where the driver is `incus`.
  var incus = IncusSettings()
  var hosts: Int?
  /// Whether its hosts reach the same disks; nil where that is not said.
  var sharesStorage: Bool?
  /// The program that switches a host off, and its arguments; empty where there is none.
  var fenceCommand: [String] = []
  /// Nil where that is not said.
  var fenceAfterSeconds: Int?
  var addressPool: AddressPool?
  var addressPool6: IPv6Pool?
  /// Replaces all reverse name settings outside of `locations`; nil to use those.
  var reverseNames: ReverseNameSettings?
}

extension LocationSettings {
  /// Whether its containers have links of this machine.
  var hasRoutedContainers: Bool { driver == .incus && incus.isRouted }
}

/// What a location can have instead of this machine.
enum LocationDriver: String, Sendable, CaseIterable {
  case simulated, incus
}

/// A setting of one location.
struct LocationKey: Sendable {
  let name: String
  let description: String
  let rule: String
  let apply: @Sendable (ConfigurationValue, inout LocationSettings) -> Bool
  let read: @Sendable (LocationSettings) -> [String]?

  /// In the order in which they are documented.
  static let all: [LocationKey] = ofHosts + sharedStorage + incus + reverseNames

  private static let ofHosts: [LocationKey] = [
    LocationKey(
      name: "driver",
      description:
        "`simulated` for hosts of its own, which exist on paper only; `incus` for containers ([docs/clusters.md](clusters.md)); where it is not said, the location is on this machine",
      rule: "one of simulated, incus",
      apply: { value, settings in
        guard let driver = value.text.flatMap({ LocationDriver(rawValue: $0) }) else { return false }
        settings.driver = driver
        return true
      },
      read: { $0.driver.map { [$0.rawValue] } }),
    LocationKey(
      name: "hosts", description: "How many hosts of its own it has, where they are simulated: 1 where it is not said",
      rule: "a whole number from 1 to 100",
      apply: { value, settings in
        guard let text = value.text, (1...3).contains(text.utf8.count),
          text.utf8.allSatisfy({ (48...57).contains($0) }),
          let number = Int(text), (1...100).contains(number)
        else { return false }
        settings.hosts = number
        return true
      },
      read: { $0.hosts.map { [String($0)] } }),
    LocationKey(
      name: "address_pool", description: "The addresses that its servers are given, instead of those of `address_pool`",
      rule: ConfigurationKey.addressPoolRule,
      apply: { value, settings in
        guard let pool = AddressPool(value.elements) else { return false }
        settings.addressPool = pool
        return true
      },
      read: { $0.addressPool.map { $0.description.split(separator: " ").map { String($0) } } }),
    LocationKey(
      name: "address_pool6",
      description: "The IPv6 network that its servers are given theirs of, instead of `address_pool6`",
      rule: ConfigurationKey.addressPool6Rule,
      apply: { value, settings in
        guard let pool = value.text.flatMap({ IPv6Pool($0) }) else { return false }
        settings.addressPool6 = pool
        return true
      },
      read: { $0.addressPool6.map { [$0.description] } }),
  ]

  /// The rule for an entry below `locations`.
  static let sectionRule = "a location's code with its keys below it: " + all.map(\.name).joined(separator: ", ")
}

extension Configuration {
  var addressPools: AddressPools {
    AddressPools(
      AddressPools.Pair(addressPool, ipv6: addressPool6),
      ofLocations: locations.mapValues { settings in
        AddressPools.Pair(
          settings.addressPool ?? addressPool,
          // The loopback of containers has no network of this machine.
          ipv6: settings.addressPool6
            ?? (settings.driver == .incus && !settings.hasRoutedContainers ? nil : addressPool6))
      })
  }

  /// The hosts that this configuration needs.
  ///
  /// - Parameters:
  ///   - codes: The locations of the catalogue.
  ///   - hasLocalServers: Whether servers exist on this machine, which then needs its host in any case.
  func hosts(servingLocations codes: [String], hasLocalServers: Bool) -> [HostDeclaration] {
    if let ownHost { return [ownHost] }
    let own = locations.sorted { $0.key < $1.key }.flatMap { code, settings -> [HostDeclaration] in
      guard let driver = settings.driver else { return [] }
      let names =
        switch driver {
        case .simulated: (1...(settings.hosts ?? 1)).map { "\(code)/\($0)" }
        case .incus: settings.incus.hostNames(at: code)
        }
      return names.map { HostDeclaration(name: $0, location: code, driver: driver.rawValue) }
    }
    let isLocalNeeded = hasLocalServers || codes.contains { locations[$0]?.driver == nil }
    let local = HostDeclaration(name: HostDeclaration.localName, location: nil, driver: driver.rawValue)
    return (isLocalNeeded ? [local] : []) + own
  }

  /// This service's own host beside those of other services.
  var ownHost: HostDeclaration? {
    hostName.map { name in
      HostDeclaration(name: name, location: hostLocation, driver: driver.rawValue, url: hostURL?.description)
    }
  }

  /// Where the disks of a simulated host are, if others reach them too.
  func simulatedStorage(ofHost name: String, onlyLooks: Bool = false) -> SharedStorage? {
    let code = String(name.prefix { $0 != "/" })
    guard locations[code]?.driver == .simulated, locations[code]?.sharesStorage == true else { return nil }
    return SharedStorage(
      in: (simulatedDirectory ?? dataDirectory).appendingPathComponent("hosts/\(code)/shared", isDirectory: true),
      for: name, onlyLooks: onlyLooks)
  }

  /// The folder in which a simulated host keeps its machines.
  func directory(ofHost name: String) -> URL {
    let directory = simulatedDirectory ?? dataDirectory
    return name == localHostName
      ? directory : directory.appendingPathComponent("hosts/\(name)", isDirectory: true)
  }
}
