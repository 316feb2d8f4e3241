package import Foundation

/// An image whose publisher is known, from a file of the catalogue in the recipes' folder.
package struct KnownImage: Codable, Sendable {
  /// The name that customers read.
  package let os: String
  package let family: String
  package let osVersion: String
  package let source: ImageSource
  package let properties: ImageProperties
  package var minimumDiskGiB: Int?

  private enum CodingKeys: String, CodingKey {
    case os, family, source, properties
    case osVersion = "os_version"
    case minimumDiskGiB = "minimum_disk_gib"
  }

  /// Nil where there is no image of this name.
  package static func named(_ name: String, in recipes: URL) throws -> KnownImage? {
    let file = recipes.appendingPathComponent("catalogue/\(name).json")
    guard let data = FileManager.default.contents(atPath: file.path) else { return nil }
    do {
      return try JSONDecoder().decode(KnownImage.self, from: data)
    } catch {
      throw ImageRefusal.failed("\(file.path) cannot be read: \(error)")
    }
  }

  package static func names(in recipes: URL) -> [String] {
    let folder = recipes.appendingPathComponent("catalogue").path
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return entries.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
  }
}
