package import Foundation

/// A host that can take over machines of another host that is certainly off, because both reach their disks.
package protocol MachineHeir: MachineReceiver {
  /// Whether it can take over machines of that host, as far as memory alone tells. A host inherits nothing of itself.
  func canInherit(from source: any ComputeDriver) -> Bool

  /// Makes a machine this host's, off, with its disk and its copies as they are. Its former host is asked for nothing: whoever calls
  /// knows that it is off. A machine of which nothing was made yet is left alone, and so is one that is this host's already.
  ///
  /// Throws `busy` or `unreachable` where the machine may be on there nevertheless, and `rejected` where disks are not on storage that
  /// several hosts reach. From then on `ensureLeft` of the former host keeps the disk and the copies.
  func ensureInherited(_ machine: UUID) async throws
}
