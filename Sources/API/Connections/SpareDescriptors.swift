import Foundation
import Synchronization

/// Descriptors that are open for nothing, and closed when the process has no others left: who else needs one for a moment finds
/// it then. libdispatch ends a process in which it cannot read the state of its threads.
package final class SpareDescriptors: Sendable {
  private static let count = 8

  private let descriptors: Mutex<[CInt]>

  /// To be made before anything else is opened: the lowest numbers are also below a limit that somebody lowers.
  package init() {
    descriptors = Mutex(Self.opened(Self.count))
  }

  deinit { release() }

  package func release() {
    descriptors.withLock { descriptors in
      for descriptor in descriptors { close(descriptor) }
      descriptors = []
    }
  }

  /// Returns whether they are all there again, with one to spare. Where they are not, none is taken.
  package func regain() -> Bool {
    descriptors.withLock { descriptors in
      guard descriptors.isEmpty else { return true }
      var found = Self.opened(Self.count + 1)
      let areEnough = found.count == Self.count + 1
      for descriptor in areEnough ? [found.removeLast()] : found { close(descriptor) }
      if areEnough { descriptors = found }
      return areEnough
    }
  }

  private static func opened(_ count: Int) -> [CInt] {
    (0..<count).map { _ in open("/dev/null", O_RDONLY | O_CLOEXEC) }.filter { $0 >= 0 }
  }
}
