import Core
import Foundation
import Synchronization

extension SimulatedDriver {
  /// Whoever tries out what happens when a host is lost makes a file in the folder of one that shares its storage: with `away` it does
  /// not answer, and with `off` it has lost its power as well.
  func requirePower() throws {
    guard let storage else { return }
    let folder = home.dataDirectory.path
    let isOff = access("\(folder)/off", F_OK) == 0
    let wasOff = state.withLock { state in
      defer { state.isOff = isOff }
      return state.isOff
    }
    if isOff, !wasOff, !storage.onlyLooks { try hostRestarts() }
    guard !isOff, access("\(folder)/away", F_OK) != 0 else {
      throw DriverError(.unreachable, "There is a file in \(folder) that says that this host does not answer.")
    }
  }
}
