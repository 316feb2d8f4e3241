package import Core

/// For each operating system: its image, which versions of it servers were made from, and which hosts lack it.
package struct OperatorImages: Sendable {
  package typealias Stores = CatalogueStore & OperatorStore

  /// What is known about the image on one host, without reading the host's disk.
  package struct Presence: Sendable {
    package let host: String
    /// Why the host lacks the image; nil where it has the image, or nobody has asked it for the image yet.
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
