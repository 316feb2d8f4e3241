import Core
import ReverseDNS
import SQLStore

extension Examination {
  private static let mostAddresses = 200
  private static let mostRefused = 1000

  func lookAtNames(_ store: SQLStore, _ facts: inout HostFacts) async throws {
    let namings: ReverseNamings
    do {
      namings = try configuration.reverseNamings()
    } catch let error as ConfigurationError {
      facts.namingFault = error.lines.joined(separator: " ")
      return
    }
    let locations = try await store.catalogue().locations.map(\.code).filter { namings[$0] != nil }
    for place in places(of: locations) { await look(at: place, namings, &facts) }
    let refused = try await store.waitingNames(areRefused: true, after: nil, limit: Self.mostRefused)
    for count in try await store.nameFigures() where count.refused > 0 && locations.contains(count.location) {
      guard let reason = refused.first(where: { $0.wanted.location == count.location })?.failure else { continue }
      facts.refusedNames.append(
        HostFacts.RefusedNames(location: count.location, count: count.refused, reason: reason))
    }
  }

  /// Locations with the same DNS settings and address pools.
  private struct Place {
    var locations: [String]
    let settings: ReverseNameSettings
    let pools: AddressPools.Pair
  }

  private func places(of locations: [String]) -> [Place] {
    locations.reduce(into: []) { places, location in
      let settings = configuration.locations[location]?.reverseNames ?? configuration.reverseNames
      let pools = configuration.addressPools[location]
      if let same = places.firstIndex(where: { $0.settings == settings && $0.pools == pools }) {
        places[same].locations.append(location)
      } else {
        places.append(Place(locations: [location], settings: settings, pools: pools))
      }
    }
  }

  private func look(at place: Place, _ namings: ReverseNamings, _ facts: inout HostFacts) async {
    let addresses = Self.addresses(of: place.pools)
    guard let naming = namings[place.locations[0]], let server = place.settings.server,
      let keyFile = place.settings.keyFile, let address = addresses.first
    else { return }
    func note(_ kind: HostFacts.NameTrouble.Kind) {
      facts.nameTroubles.append(
        HostFacts.NameTrouble(
          locations: place.locations, server: server, keyFile: keyFile, address: address, kind: kind))
    }
    do {
      let obstacles = try await naming.zones.obstacles(to: addresses)
      if obstacles.isKeyRefused { note(.keyIsRefused) }
      if !obstacles.homeless.isEmpty { note(.homeless(obstacles.homeless)) }
    } catch {
      note(.silent(reason: (error as? UnreachableNameServer)?.reason ?? "\(error)"))
    }
  }

  /// Some addresses from each part of the pools that may be a DNS zone of its own.
  private static func addresses(of pools: AddressPools.Pair) -> [IPAddress] {
    let four = pools.ipv4.ranges.flatMap { range -> [IPAddress] in
      let (low, high) = (range.lowerBound.number, range.upperBound.number)
      let step = max(256, (high - low) / 64)
      return (Array(stride(from: low, to: high, by: Int(step))) + [high]).map { IPAddress(IPv4Address(number: $0)) }
    }
    let six = pools.ipv6.map { [$0.networks.lowerBound, $0.networks.upperBound].map { IPAddress(ofServerIn: $0) } }
    return Array(four.prefix(mostAddresses)) + (six ?? [])
  }
}
