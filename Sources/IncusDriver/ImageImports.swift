import Core
import Foundation
import Synchronization

/// Images that are on their way into the cluster, and which there are. It is in memory only.
final class ImageImports: Sendable {
  private enum Standing {
    case underWay(sentBytes: Int64, totalBytes: Int64)
    case failed(DriverError)
  }

  private struct State {
    var standings: [StoredImage: Standing] = [:]
    /// The names of those that servers can be made of; nil until somebody has looked.
    var offered: Set<String>?
  }

  private let state = Mutex(State())

  /// Begins to bring one in, where nobody does. Throws once how it failed; the call after that begins anew.
  func ensure(
    _ image: StoredImage,
    _ bring: @escaping @Sendable (_ sent: @escaping @Sendable (Int64) -> Void) async throws -> Void
  ) throws {
    let isNew = try state.withLock { state in
      switch state.standings[image] {
      case .underWay: return false
      case .failed(let error):
        state.standings[image] = nil
        throw error
      case nil:
        state.standings[image] = .underWay(sentBytes: 0, totalBytes: image.sizeBytes)
        return true
      }
    }
    guard isNew else { return }
    Task {
      do {
        try await DriverError.translating {
          try await bring { bytes in self.note(.underWay(sentBytes: bytes, totalBytes: image.sizeBytes), of: image) }
        }
        note(nil, of: image)
      } catch {
        note(.failed(error as? DriverError ?? DriverError(.unreachable, "\(error)".plainExcerpt)), of: image)
      }
    }
  }

  private func note(_ standing: Standing?, of image: StoredImage) {
    state.withLock { $0.standings[image] = standing }
  }

  func note(offered names: Set<String>) {
    state.withLock { $0.offered = names }
  }

  func absence(of name: String, for wait: Duration) -> ImageAbsence? {
    state.withLock { state in
      for case (let image, .underWay(let sent, let total)) in state.standings where image.name == name {
        return .beingFetched(sent < total ? .downloading(bytes: sent, totalBytes: total) : .preparing)
      }
      guard let offered = state.offered, !offered.contains(name) else { return nil }
      return .unavailable(for: wait)
    }
  }
}

/// An image of containers in the store of this machine.
struct StoredImage: Sendable, Hashable {
  let name: String
  let version: String
  let archive: String
  let sizeBytes: Int64
  let minimumDiskGiB: Int

  /// That of containers is never changed, and is another image's nowhere.
  var alias: String { "\(name)/\(version)" }
}
