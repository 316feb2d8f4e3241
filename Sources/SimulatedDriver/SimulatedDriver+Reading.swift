import Core
import Dispatch
import Synchronization

/// The records are read when a call first needs all of them, so that a service with many machines does not start later.
extension SimulatedDriver {
  static func needsRecords(_ method: DriverMethod) -> Bool {
    switch method {
    case .capacity, .prepareImage, .takesUserData: false
    default: true
    }
  }

  /// Returns when all records are in memory. Only one call reads; the others wait for it.
  func readRecords() async throws {
    while state.withLock({ $0.unread != nil }) {
      let task = reading.withLock { reading in
        if let reading { return reading }
        let new = Task {
          defer { self.reading.withLock { $0 = nil } }
          try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try self.readRecordsUnlocked() }) }
          }
        }
        reading = new
        return new
      }
      try await task.value
    }
  }

  /// Calls that need no other machine's record are not kept from the state meanwhile.
  private func readRecordsUnlocked() throws(DriverError) {
    guard let unread = state.withLock({ $0.unread }) else { return }
    let records = try unread.load()
    state.withLock { state in
      // Whoever could not wait has read them already, and may have changed some.
      guard state.unread != nil else { return }
      state.add(records)
      state.unread = nil
    }
  }
}
