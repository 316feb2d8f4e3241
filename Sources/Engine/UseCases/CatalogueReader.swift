package import Core

/// The catalogue, at most a second old.
package struct CatalogueReader: Sendable {
  package static let toRead = Permission(.servers, .read)

  private let store: any CatalogueStore
  private let cache: TimedCache<Catalogue>

  package init(store: any CatalogueStore, clock: any WallClock) {
    self.store = store
    cache = TimedCache(clock: clock)
  }

  /// For callers who may read servers or change them.
  package func catalogue(for caller: Caller) async throws -> Catalogue {
    if !caller.may(Servers.toChange) { try caller.require(Self.toRead) }
    return try await catalogue()
  }

  func catalogue() async throws -> Catalogue {
    try await cache.value { try await store.catalogue() }
  }

  /// Whoever asks from now on gets what the store says from now on.
  func forget() { cache.forget() }
}
