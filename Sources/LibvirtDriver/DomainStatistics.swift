import CLibvirt
import Core
import Foundation

/// What libvirt's bulk call returns about one domain.
struct DomainStatistics: Sendable {
  let domain: Domain
  let state: DomainState
  /// Nil if the domain is off.
  var runID: Int? {
    switch state.power {
    case .running, .paused: domain.runID
    case .off, .remnant, .absent, .unreachable, .unknown: nil
    }
  }

  let cpuNanoseconds: Int64?
  let memoryUsedMiB: Int?
  let diskAllocatedBytes: Int64?

  init(domain: Domain, record: virDomainStatsRecord) {
    let values = TypedParameters(record.params, count: Int(record.nparams)).numbers
    self.domain = domain
    self.state = DomainState(
      state: Int32(clamping: values["state.state"] ?? 0), reason: Int32(clamping: values["state.reason"] ?? 0))
    self.cpuNanoseconds = values["cpu.time"]
    self.diskAllocatedBytes = values["block.0.allocation"]
    // Both are in KiB, and are absent until the guest's balloon driver has reported.
    if let available = values["balloon.available"], let usable = values["balloon.usable"], available >= usable {
      self.memoryUsedMiB = Int((available - usable) / 1024)
    } else {
      self.memoryUsedMiB = nil
    }
  }
}
