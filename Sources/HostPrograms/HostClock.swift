import CGNU
import Foundation

/// The host's clock, as the kernel sees it.
package enum HostClock {
  /// Whether the clock is kept synchronised, as by NTP; nil where the kernel does not say.
  package static var isSynchronised: Bool? {
    var state = timex()
    let result = adjtimex(&state)
    guard result >= 0 else { return nil }
    return result != TIME_ERROR && state.status & STA_UNSYNC == 0
  }
}
