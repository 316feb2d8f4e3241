package import Core
package import Foundation

/// The methods of `ComputeDriver` and `MachineReceiver` that can fail.
package enum DriverMethod: String, Sendable, CaseIterable {
  case capacity, prepareImage, isAddressFree, ensureDefined, applyLimits, start, resume, requestShutdown, powerOff,
    readiness,
    applyHostname, applyAddresses, applyFirewall
  case requireRescuable, openConsole, takesUserData, userDataOutcome, setPassword
  case ensureCopied, ensureRestored, endRestore, ensureCopyAbsent, ensureDiskAbsent, ensureAbsent, power, observe
  case ensureReceived, endReceipt, ensureInherited
}

/// What is wrong with a whole host.
package enum HostCondition: Sendable {
  case answers
  /// Each call fails as `unreachable`, at once.
  case isDead
  /// Each call waits until `releaseHangingCalls`, and then does its work.
  case hangs
}

package struct DriverCall: Sendable, Equatable {
  package let method: DriverMethod
  package let machine: UUID?

  package init(_ method: DriverMethod, _ machine: UUID? = nil) {
    self.method = method
    self.machine = machine
  }
}

/// Something that goes wrong, or just happens, in a call of the driver.
package struct Fault: Sendable {
  package typealias Hook = @Sendable () async -> Void

  package enum Effect: Sendable {
    /// The call fails, and nothing was done.
    case fail(DriverError)
    /// The work is done, and the call fails nevertheless.
    case failAfterwards(DriverError)
    /// The call does nothing until `releaseHangingCalls`, and then its work; cancelled, it fails as `unreachable`.
    case hang
    /// The work is done, and the call does not return until `releaseHangingCalls`.
    case hangAfterwards
    /// Something happens between the call and its work.
    case before(Hook)
    /// Something happens between the work and the return of the call.
    case after(Hook)
  }

  let method: DriverMethod
  let machine: UUID?
  let effect: Effect
  /// How many calls it still applies to; nil for all.
  fileprivate var remaining: Int?

  /// - Parameters:
  ///   - machine: Nil for any machine.
  ///   - times: How many calls it applies to; nil for all to come.
  package init(in method: DriverMethod, of machine: UUID? = nil, _ effect: Effect, times: Int? = 1) {
    self.method = method
    self.machine = machine
    self.effect = effect
    self.remaining = times
  }

  fileprivate func applies(to call: DriverCall) -> Bool {
    method == call.method && (machine == nil || machine == call.machine) && remaining != 0
  }
}

/// The faults that calls will meet, in the order in which they take effect.
package struct Faults: Sendable {
  private var waiting: [Fault]

  package init(_ faults: [Fault] = []) {
    waiting = faults
  }

  package var isEmpty: Bool { waiting.isEmpty }

  package mutating func add(_ fault: Fault) {
    waiting.append(fault)
  }

  /// Uses up the faults that apply to the call, up to the first one that makes it fail: so two failures meet two calls.
  mutating func take(for call: DriverCall) -> [Fault.Effect] {
    guard !waiting.isEmpty else { return [] }
    var effects: [Fault.Effect] = []
    search: for index in waiting.indices where waiting[index].applies(to: call) {
      waiting[index].remaining = waiting[index].remaining.map { $0 - 1 }
      effects.append(waiting[index].effect)
      switch waiting[index].effect {
      case .fail, .failAfterwards: break search
      case .hang, .hangAfterwards, .before, .after: continue
      }
    }
    waiting.removeAll { $0.remaining == 0 }
    return effects
  }
}
