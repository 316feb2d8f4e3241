import Core
import Foundation

/// An image in the cluster, under an alias that is never another image's: `debian-12/20260101`.
struct ClusterImage: Decodable, Sendable {
  struct Alias: Decodable, Sendable { let name: String }

  let fingerprint: String
  let size: Int64
  let aliases: [Alias]
  let properties: [String: String]?
  let type: String?
  let uploadedAt: String?

  private enum CodingKeys: String, CodingKey {
    case fingerprint, size, aliases, properties, type
    case uploadedAt = "uploaded_at"
  }

  /// Our properties of it, which its description has.
  enum Property: String {
    /// Which one it is.
    case name = "vpsd.name"
    case version = "vpsd.version"
    /// The GiB that its disk needs; 1 where it does not say.
    case minimumDisk = "vpsd.minimum-disk-gib"
    /// `true` where it does what user data says.
    case cloudInit = "vpsd.cloud-init"
    /// `true` where its containers set up their network card.
    case network = "vpsd.network"
    /// Of a copy: whose, and which.
    case installation = "vpsd.installation"
    case machine = "vpsd.machine"
    case copy = "vpsd.copy"
    /// Of a disk that is on its way to another Incus: on which one.
    case transfer = "vpsd.transfer"
  }

  /// Nil where it is empty, too: what is made of a container has the properties that the image of that one has, unless it says
  /// otherwise.
  subscript(property: Property) -> String? {
    properties?[property.rawValue].flatMap { $0.isEmpty ? nil : $0 }
  }

  var isOfMachine: Bool { self[.copy] != nil || self[.transfer] != nil }

  var minimumDiskGiB: Int { self[.minimumDisk].flatMap { Int($0) } ?? 1 }
  var takesUserData: Bool { self[.cloudInit] == "true" }
  var hasNetwork: Bool { self[.network] == "true" }

  /// The versions that it is of the named one.
  func versions(of name: String) -> [String] {
    aliases.map(\.name).filter { $0.hasPrefix("\(name)/") }.map { String($0.dropFirst(name.count + 1)) }
  }
}
