import Core
import Foundation
import PrivateFiles
import Synchronization

/// The address and SSH port of each running machine, as its mark says: it may have been started before the service chose other
/// ports. They are stored, so that a new process reports the same while the hypervisor does not answer.
final class RunningPorts: Sendable {
  private struct Boot {
    /// Nil for a boot that an earlier process saw.
    let runID: Int?
    let address: IPv4Address
    let sshPort: UInt16
  }

  private struct State {
    var boots: [UUID: Boot] = [:]
    var recorded: [UInt8] = []
  }

  private let path: String
  private let state = Mutex(State())

  /// Reads what an earlier process stored.
  init(path: String) {
    self.path = path
    let file = FileManager.default.contents(atPath: path) ?? Data()
    let lines = String(decoding: file.prefix(1 << 24), as: UTF8.self).split(separator: "\n")
    state.withLock { state in
      for line in lines {
        let words = line.split(separator: " ")
        guard words.count == 3, let machine = UUID(uuidString: String(words[0])), let address = IPv4Address(words[1]),
          let port = UInt16(words[2])
        else { continue }
        state.boots[machine] = Boot(runID: nil, address: address, sshPort: port)
      }
      state.recorded = Array(file)
    }
  }

  func sshPort(of machine: UUID) -> UInt16? { state.withLock { $0.boots[machine]?.sshPort } }

  func address(of machine: UUID) -> IPv4Address? { state.withLock { $0.boots[machine]?.address } }

  func isKnown(_ machine: UUID, runID: Int) -> Bool { state.withLock { $0.boots[machine]?.runID == runID } }

  func note(_ machine: UUID, runID: Int, as mark: MachineMark) {
    state.withLock {
      $0.boots[machine] = Boot(runID: runID, address: mark.address, sshPort: mark.sshPort)
    }
  }

  /// Forgets machines that do not run.
  func retain(_ running: some Collection<UUID>) {
    let running = Set(running)
    state.withLock { state in state.boots = state.boots.filter { running.contains($0.key) } }
  }

  /// Writes the file if it has changed. Blocks.
  func record() throws {
    let file = state.withLock { state -> [UInt8]? in
      let lines = state.boots.map { "\($0.key.text) \($0.value.address) \($0.value.sshPort)\n" }
      let file = Array(lines.sorted().joined().utf8)
      return file == state.recorded ? nil : file
    }
    guard let file else { return }
    // After a power failure no machine runs, so the file need not be durable.
    try PrivateFile.write(file, to: path, isDurable: false)
    state.withLock { $0.recorded = file }
  }
}
