package import Foundation

/// A host to which machines are moved from other hosts of its kind. It fetches them itself: whoever calls asks the source for
/// nothing. As with `ComputeDriver`, every method can safely be repeated, also after a process died in the middle of it,
/// and throws `DriverError` and nothing else.
///
/// `ensureAbsent` of a receiver also aborts what it is receiving of the machine. `ensureAbsent` of a source, called after a
/// machine was moved away, removes what that host still has of it, and nothing of the machine at its new host.
package protocol MachineReceiver: ComputeDriver {
  /// Whether machines of that host can be moved here, as far as memory alone tells. A host receives nothing of itself.
  func canReceive(from source: any ComputeDriver) -> Bool

  /// Brings a machine that is off at its source here, with its disk and its complete copies, in the background, and returns
  /// the progress: call again until it is done. Until then it is a remnant here at most, which nobody can start, and the
  /// source has all of it. Once it is done, the machine is here, off, and can be defined and started; the source may
  /// still have it, too. A machine that has come here whole is left alone.
  ///
  /// Throws `rejected` if the machine is on at the source, or the source is of another kind, `notFound` if neither host has
  /// the machine, `unreachable` while the source does not answer, and `exhausted` while there is no room here. If the
  /// work fails, the next call throws; the call after that begins anew.
  func ensureReceived(_ machine: UUID, from source: any ComputeDriver) async throws -> ReceiptProgress

  /// Aborts what is being received, so that it changes nothing any more, and returns whether the machine had come here whole
  /// nevertheless; then it stays here. Otherwise nothing of it is left here, and the source has it as it was. Throws
  /// `busy` or `unreachable` while that cannot be told.
  func endReceipt(of machine: UUID, from source: any ComputeDriver) async throws -> Bool

  /// Aborts what is being received, and removes what this host has of a machine that is another host's. Where there is only
  /// one of the machine, which both hosts reach, that one is the other host's from now on, and is kept.
  func ensureLeft(_ machine: UUID, to home: any ComputeDriver) async throws
}

package enum ReceiptProgress: Sendable, Equatable {
  case underWay, done
  /// It is under way, and may take as long as it goes on: where it stands still the host ends it by itself.
  case advancing
}
