/// What a machine is held to, so that none starves another.
package struct ResourceLimits: Sendable, Equatable {
  /// What it has of the host's processors where they are short, beside the weights of all others.
  package let cpuWeight: Int
  /// Reads and writes of its disk in a second; nil for as many as the host can.
  package let diskIOPS: Int?
  /// What it reads and writes of its disk in a second; nil for as much as the host can.
  package let diskMiBPerSecond: Int?

  package init(cpuWeight: Int, diskIOPS: Int? = nil, diskMiBPerSecond: Int? = nil) {
    self.cpuWeight = cpuWeight
    self.diskIOPS = diskIOPS
    self.diskMiBPerSecond = diskMiBPerSecond
  }

  /// Of one whose plan says nothing: what it has of the processors goes by how many it sees.
  package static func standard(vcpus: Int) -> ResourceLimits {
    ResourceLimits(cpuWeight: min(100 * vcpus, Plan.cpuWeightRange.upperBound))
  }
}

extension Plan {
  /// A plan that says nothing of one has 0 there, as in what operators write.
  package var limits: ResourceLimits {
    ResourceLimits(
      cpuWeight: cpuWeight > 0 ? cpuWeight : ResourceLimits.standard(vcpus: vcpus).cpuWeight,
      diskIOPS: diskIOPS > 0 ? diskIOPS : nil, diskMiBPerSecond: diskMiBPerSecond > 0 ? diskMiBPerSecond : nil)
  }
}
