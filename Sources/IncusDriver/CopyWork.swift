import Core
import Foundation
import Synchronization

/// What goes on between the calls: copies that are made, disks that are restored, containers that move. It is in memory only.
final class CopyWork: Sendable {
  enum Kind: Sendable { case copy, restore, receipt }

  enum Standing: Sendable {
    case none, underWay
    case over(Result<Void, DriverError>)
  }

  fileprivate struct Piece: Sendable {
    let kind: Kind
    let machine: UUID
    let copy: UUID
    var isUnwanted = false
    /// Nil while it goes on.
    var result: Result<Void, DriverError>?
  }

  private let pieces = Mutex<[UUID: Piece]>([:])

  /// How a piece stands. That one is over is told once.
  func standing(of kind: Kind, _ machine: UUID, _ copy: UUID) -> Standing {
    pieces.withLock { pieces in
      guard let (key, piece) = pieces.first(where: { $1.isOf(kind, machine, copy) }) else { return .none }
      guard let result = piece.result else { return .underWay }
      pieces[key] = nil
      return .over(result)
    }
  }

  func isUnderWay(_ kind: Kind, _ machine: UUID, _ copy: UUID) -> Bool {
    pieces.withLock { pieces in pieces.values.contains { $0.isOf(kind, machine, copy) && $0.result == nil } }
  }

  /// - Parameter body: Asks between its steps whether it is still wanted.
  func begin(
    _ kind: Kind, _ machine: UUID, _ copy: UUID,
    _ body: @escaping @Sendable (_ isWanted: @escaping @Sendable () -> Bool) async throws -> Void
  ) {
    let key = UUID()
    let isNew = pieces.withLock { pieces in
      guard !pieces.values.contains(where: { $0.isOf(kind, machine, copy) }) else { return false }
      pieces[key] = Piece(kind: kind, machine: machine, copy: copy)
      return true
    }
    guard isNew else { return }
    Task {
      do {
        try await DriverError.translating { try await body { self.isWanted(key) } }
        end(key, .success(()))
      } catch {
        end(key, .failure(error as? DriverError ?? DriverError(.unreachable, "\(error)".plainExcerpt)))
      }
    }
  }

  private func end(_ key: UUID, _ result: Result<Void, DriverError>) {
    pieces.withLock { pieces in
      if pieces[key]?.isUnwanted == true { pieces[key] = nil } else { pieces[key]?.result = result }
    }
  }

  private func isWanted(_ key: UUID) -> Bool {
    pieces.withLock { pieces in pieces[key].map { !$0.isUnwanted } ?? false }
  }

  /// What of these goes on ends where it can, and its outcome is forgotten: true once all of it is over.
  func abandon(_ machine: UUID, _ copy: UUID?) -> Bool {
    pieces.withLock { pieces in
      for (key, piece) in pieces where piece.concerns(machine, copy) {
        if piece.result == nil { pieces[key]?.isUnwanted = true } else { pieces[key] = nil }
      }
      return !pieces.values.contains { $0.concerns(machine, copy) }
    }
  }
}

extension CopyWork.Piece {
  fileprivate func isOf(_ kind: CopyWork.Kind, _ machine: UUID, _ copy: UUID) -> Bool {
    self.kind == kind && self.machine == machine && self.copy == copy
  }

  /// - Parameter copy: Nil for any.
  fileprivate func concerns(_ machine: UUID, _ copy: UUID?) -> Bool {
    self.machine == machine && (copy ?? self.copy) == self.copy
  }
}
