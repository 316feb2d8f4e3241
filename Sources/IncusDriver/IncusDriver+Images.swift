package import Core
import Foundation
import HostImages
import NIOHTTP1

extension IncusDriver {
  /// The store's current version, which is brought into the cluster where it is not there; without one, the version there that came
  /// last.
  package func prepareImage(_ name: String, storageGiB: Int) async throws -> ImagePreparation {
    try await DriverError.translating {
      let present = try await images()
      if let stored = storedImage(name) {
        try require(stored.minimumDiskGiB, of: name, in: storageGiB)
        guard present.contains(where: { $0.versions(of: name).contains(stored.version) }) else {
          try imports.ensure(stored) { sent in try await bring(stored, told: sent) }
          return .underWay
        }
        return .ready(version: stored.version)
      }
      let (image, version) = try newest(name, of: present)
      try require(image.minimumDiskGiB, of: name, in: storageGiB)
      return .ready(version: version)
    }
  }

  private func require(_ minimumGiB: Int, of name: String, in storageGiB: Int) throws {
    guard storageGiB >= minimumGiB else {
      throw DriverError(
        .rejected, "\(name) needs a disk of \(minimumGiB) GiB",
        customerReason: "The operating system does not fit on the plan's disk.")
    }
  }

  package func knownAbsence(ofImage name: String) -> ImageAbsence? {
    imports.absence(of: name, for: Self.imageInterval)
  }

  package func takesUserData(_ image: String) async throws -> Bool {
    try await DriverError.translating {
      let present = try await images()
      guard let stored = storedImage(image) else { return try newest(image, of: present).image.takesUserData }
      guard let known = present.first(where: { $0.versions(of: image).contains(stored.version) }) else {
        throw DriverError(.unreachable, "\(stored.alias) is still on its way into the cluster")
      }
      return known.takesUserData
    }
  }

  func image(_ name: String, version: String) async throws -> ClusterImage {
    guard let image = try await images().first(where: { $0.versions(of: name).contains(version) }) else {
      throw Self.noImage("\(name) \(version)")
    }
    return image
  }

  private func newest(_ name: String, of present: [ClusterImage]) throws -> (image: ClusterImage, version: String) {
    let versions = present.flatMap { image in image.versions(of: name).map { (image: image, version: $0) } }
    let newest = versions.max { left, right in
      (left.image.uploadedAt ?? "", left.version) < (right.image.uploadedAt ?? "", right.version)
    }
    guard let newest else { throw Self.noImage(name) }
    return newest
  }

  /// Those of containers.
  func images() async throws -> [ClusterImage] {
    try await client.get(
      IncusPath("images", query: ["recursion": "1"]), as: [ClusterImage].self, within: IncusDeadline.list,
      mostBytes: 16 << 20
    ).filter { $0.type ?? "container" == "container" }
  }

  private static func noImage(_ name: String) -> DriverError {
    DriverError(
      .notFound, "there is no image of containers \(name), neither in the cluster nor in the store",
      customerReason: "The image of the operating system is not available.")
  }
}

// MARK: - From the store into the cluster

extension IncusDriver {
  static let imageInterval = Duration.seconds(30)

  private func storedImage(_ name: String) -> StoredImage? {
    guard let store = configuration.images, let version = try? store.currentVersion(of: name),
      let archive = store.containerArchive(of: name, version: version)
    else { return nil }
    let size = try? FileManager.default.attributesOfItem(atPath: archive)[.size] as? Int64
    return StoredImage(
      name: name, version: version, archive: archive, sizeBytes: size ?? 0,
      minimumDiskGiB: (try? store.description(of: name, version: version))?.minimumDiskGiB ?? 1)
  }

  /// It is found by what it says of itself, because a process that died may have sent it and given it no name; and the server
  /// refuses to take the same twice.
  private func bring(_ stored: StoredImage, told sent: @escaping @Sendable (Int64) -> Void) async throws {
    if try await arrived(stored) == nil {
      do {
        let operation = try await client.upload(
          stored.archive, to: IncusPath("images"), within: IncusDeadline.upload, told: sent)
        if let operation { _ = try await client.end(of: operation, within: IncusDeadline.upload) }
      } catch {
        guard try await arrived(stored) != nil else { throw error }
      }
    }
    guard let image = try await arrived(stored) else {
      throw DriverError(
        .rejected, "\(stored.archive) does not say that it is \(stored.alias): make it anew (images/container)")
    }
    // Whoever asks while another one ends begins once more, and finds it done.
    guard !image.versions(of: stored.name).contains(stored.version) else { return }
    do {
      try await client.finish(
        .init(
          method: .POST, path: IncusPath("images", "aliases"),
          body: try JSONBody(["name": .text(stored.alias), "target": .text(image.fingerprint)]).bytes,
          deadline: IncusDeadline.instance), within: IncusDeadline.instance)
    } catch IncusError.exists {}
  }

  private func arrived(_ stored: StoredImage) async throws -> ClusterImage? {
    try await images().first {
      !$0.isOfMachine && $0[.name] == stored.name && $0[.version] == stored.version
    }
  }

  /// Which operating systems servers can be made of here, for those who order one.
  func lookAtImages() async throws {
    let present = try await images().flatMap(\.aliases).compactMap { alias in
      alias.name.lastIndex(of: "/").map { String(alias.name[..<$0]) }
    }
    let stored = configuration.images?.names.filter { storedImage($0) != nil } ?? []
    imports.note(offered: Set(present + stored))
  }
}
