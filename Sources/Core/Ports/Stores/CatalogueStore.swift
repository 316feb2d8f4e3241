/// What is for sale, and where.
package protocol CatalogueStore: Sendable {
  func catalogue() async throws -> Catalogue
}
