/// The limits of what a machine may use, so that no machine starves another.
package struct ResourceLimits: Sendable, Equatable {
  /// The machine's share of the host's processors when they are busy, relative to the weights of all others.
  package let cpuWeight: Int
  /// Disk reads and writes per second; nil for no limit.
  package let diskIOPS: Int?
  /// MiB read from and written to the disk per second; nil for no limit.
  package let diskMiBPerSecond: Int?

  package init(cpuWeight: Int, diskIOPS: Int? = nil, diskMiBPerSecond: Int? = nil) {
    self.cpuWeight = cpuWeight
    self.diskIOPS = diskIOPS
    self.diskMiBPerSecond = diskMiBPerSecond
  }

  /// The limits of a machine whose plan sets none: a processor weight in proportion to its vCPUs.
  package static func standard(vcpus: Int) -> ResourceLimits {
    ResourceLimits(cpuWeight: min(100 * vcpus, Plan.cpuWeightRange.upperBound))
  }
}

extension Plan {
  /// A plan has 0 for a limit that it does not set, as operators write it.
  package var limits: ResourceLimits {
    ResourceLimits(
      cpuWeight: cpuWeight > 0 ? cpuWeight : ResourceLimits.standard(vcpus: vcpus).cpuWeight,
      diskIOPS: diskIOPS > 0 ? diskIOPS : nil, diskMiBPerSecond: diskMiBPerSecond > 0 ? diskMiBPerSecond : nil)
  }
}
