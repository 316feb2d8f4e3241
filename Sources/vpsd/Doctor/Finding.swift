/// One fault: what was found, what it means, and how to repair it.
struct Finding: Sendable, Equatable {
  enum Severity: String, Sendable {
    /// Servers keep running, but something is slower, fuller or less safe than it should be.
    case warning
    /// Something does not work, or will stop working.
    case error
  }

  enum Area: String, Sendable, CaseIterable {
    case accelerator, programs, libvirt, incus, images, disk, memory, pools, ports, network, rdns, clock, permissions,
      database,
      backups, orphans
  }

  let severity: Severity
  let area: Area
  let text: String
  let meaning: String
  /// A command, or an instruction where no command can do it.
  let remedy: String

  static func warning(_ area: Area, _ text: String, _ meaning: String, remedy: String) -> Finding {
    Finding(severity: .warning, area: area, text: text, meaning: meaning, remedy: remedy)
  }

  static func error(_ area: Area, _ text: String, _ meaning: String, remedy: String) -> Finding {
    Finding(severity: .error, area: area, text: text, meaning: meaning, remedy: remedy)
  }
}
