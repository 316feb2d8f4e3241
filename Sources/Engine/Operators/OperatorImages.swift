package import Core

/// What disks are made from: of each operating system the image, who uses which version of it, and what hosts know of it.
package struct OperatorImages: Sendable {
  package typealias Stores = CatalogueStore & OperatorStore

  /// On one host, without a look at its disk.
  package struct Presence: Sendable {
    package let host: String
    /// Nil where nothing is known against it: it is there, or nobody has asked for it.
    package let absence: ImageAbsence?
  }

  package struct Listing: Sendable {
    package let system: OperatingSystem
    package let uses: [SystemUse]
    package let hosts: [Presence]

    package var serverCount: Int { uses.reduce(0) { $0 + $1.serverCount } }
  }

  private let store: any Stores
  private let fleet: Fleet

  package init(store: any Stores, fleet: Fleet) {
    self.store = store
    self.fleet = fleet
  }

  /// In the order of the systems' ids.
  package func list() async throws -> [Listing] {
    let uses = Dictionary(grouping: try await store.systemUses(), by: \.system)
    return try await store.catalogue().operatingSystems.map { system in
      Listing(
        system: system, uses: uses[system.id] ?? [],
        hosts: fleet.hosts.map { host in
          Presence(host: host.name, absence: host.driver.knownAbsence(ofImage: system.imageName))
        })
    }
  }
}
