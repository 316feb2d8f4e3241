import Core
import Foundation
import Synchronization

/// Disk work that takes longer than a call may: it continues between the calls that poll it, and ends with the process, because
/// it is only in memory. Except for thaws, a machine has one at a time, and the queue is first come, first served.
final class DiskWork: Sendable {
  enum Purpose: Hashable, Sendable {
    case copy(UUID)
    case restore(UUID)
    /// Thaws the guest's file systems, which is quick and never waits in the queue.
    case thaw
  }

  struct Key: Hashable, Sendable {
    let machine: UUID
    let purpose: Purpose

    var isRestore: Bool { if case .restore = purpose { true } else { false } }
  }

  typealias Body = @Sendable () async throws -> Void

  private enum Entry {
    case waiting(Body)
    case running(Task<Void, Never>)
    case ended(Result<Void, any Error>)
  }

  private struct State {
    var entries: [Key: Entry] = [:]
    var queue: [Key] = []
    /// The work that runs now, without thaws.
    var running: Set<Key> = []
  }

  /// How many run at once: more would only make each of them, and the guests, slower.
  private let width: Int
  private let state = Mutex(State())

  private static let endLimit: Duration = .seconds(60)

  init(width: Int) {
    self.width = width
  }

  /// Begins the work if there is none. Returns true once after a success and throws the error of a failure once; then the
  /// result is forgotten. A successful copy is forgotten at once, because its file proves the success, and so is any thaw.
  func isDone(_ key: Key, _ body: @escaping Body) throws -> Bool {
    try state.withLock { state in
      if case .ended(let result) = state.entries[key] {
        state.entries[key] = nil
        try result.get()
        return true
      }
      if state.entries[key] == nil {
        state.entries[key] = .waiting(body)
        state.queue.append(key)
        beginWaiting(in: &state)
      }
      return false
    }
  }

  func isRunning(on machine: UUID) -> Bool {
    state.withLock { state in
      state.entries.contains { key, entry in
        if case .running = entry { key.machine == machine } else { false }
      }
    }
  }

  /// Cancels the work that meets the condition, forgets its result, and returns when it has cleaned up. Throws `busy` if the
  /// cleanup takes longer than `endLimit`.
  func end(_ isMeant: @Sendable (Key) -> Bool) async throws { _ = try await done(inSpiteOfEnding: isMeant) }

  /// Ends this work in the same way, and returns whether it was done nevertheless.
  func end(_ key: Key) async throws -> Bool { try await done(inSpiteOfEnding: { $0 == key }).contains(key) }

  private func done(inSpiteOfEnding isMeant: @Sendable (Key) -> Bool) async throws -> Set<Key> {
    var done: Set<Key> = []
    var cancelled: [Key] = []
    state.withLock { state in
      for (key, entry) in state.entries where isMeant(key) {
        switch entry {
        case .running(let task):
          task.cancel()
          cancelled.append(key)
          continue
        case .ended(.success): done.insert(key)
        case .waiting, .ended(.failure): break
        }
        state.entries[key] = nil
      }
      state.queue.removeAll { state.entries[$0] == nil }
    }
    let deadline = ContinuousClock.now + Self.endLimit
    for key in cancelled {
      while true {
        if let isDone = takeEnd(of: key) {
          if isDone { done.insert(key) }
          break
        }
        guard ContinuousClock.now < deadline else {
          throw DriverError(.busy, "work on the disk of \(key.machine.text) does not end")
        }
        try await Task.sleep(for: .milliseconds(20))
      }
    }
    return done
  }

  /// Whether the work was done, as far as that is known, and forgets it; nil while it runs.
  private func takeEnd(of key: Key) -> Bool? {
    state.withLock { state -> Bool? in
      switch state.entries[key] {
      case .running: return nil
      case .ended(let result):
        state.entries[key] = nil
        if case .success = result { return true }
        return false
      case .waiting, nil: return false
      }
    }
  }

  private func beginWaiting(in state: inout State) {
    for key in state.queue {
      let isThaw = key.purpose == .thaw
      let mayBegin = state.running.count < width && !state.running.contains { $0.machine == key.machine }
      guard isThaw || mayBegin, case .waiting(let body) = state.entries[key] else { continue }
      if !isThaw { state.running.insert(key) }
      state.entries[key] = .running(Task { finish(key, await Self.result(of: body)) })
    }
    state.queue.removeAll { key in
      if case .waiting = state.entries[key] { false } else { true }
    }
  }

  private func finish(_ key: Key, _ result: Result<Void, any Error>) {
    state.withLock { state in
      switch (key.purpose, result) {
      case (.thaw, _), (.copy, .success): state.entries[key] = nil
      case (.copy, .failure), (.restore, _): state.entries[key] = .ended(result)
      }
      state.running.remove(key)
      beginWaiting(in: &state)
    }
  }

  private static func result(of body: Body) async -> Result<Void, any Error> {
    do {
      return .success(try await body())
    } catch {
      return .failure(error)
    }
  }
}
