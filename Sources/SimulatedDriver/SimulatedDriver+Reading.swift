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
            DispatchQueue.global().async { continuation.resume(with: Result { try self.readRecordsAside() }) }
          }
        }
        reading = new
        return new
      }
      try await task.value
    }
  }

  private func readRecordsAside() throws(DriverError) {
    let unread = state.withLock { state in state.unread.map { ($0, state.term) } }
    guard let (folders, term) = unread else { return }
    let records = try folders.load()
    state.withLock { state in
      guard state.unread != nil, state.term == term else { return }
      state.take(records)
      state.unread = nil
    }
  }
}
