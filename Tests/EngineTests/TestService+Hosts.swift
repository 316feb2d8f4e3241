import Core
import SimulatedDriver
import TestSupport

@testable import Engine

extension TestService {
  /// The host of this number does not answer until everybody knows.
  func silence(host number: Int, _ condition: HostCondition = .isDead) async {
    drivers[number].configure { $0.condition = condition }
    let look = Task { await monitor.monitors[number].pollOnce() }
    if condition == .hangs { await drivers[number].whenHanging() } else { await look.value }
    clock.advance(by: Core.Host.longestSilence)
    await monitor.monitors[number].noteSilence()
  }

  func comeBack(host number: Int) async {
    drivers[number].configure { $0.condition = .answers }
    drivers[number].releaseHangingCalls()
    await monitor.pollOnce()
  }
}
