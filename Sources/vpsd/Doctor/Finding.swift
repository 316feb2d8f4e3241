/// One thing that is not as it should be: what is so, what that means, and what mends it.
struct Finding: Sendable, Equatable {
  enum Severity: String, Sendable {
    /// Servers go on; something is slower, closer to its end or less safe than it need be.
    case warning
    /// Something does not work, or will not.
    case error
  }

  enum Area: String, Sendable, CaseIterable {
    case accelerator, programs, libvirt, images, disk, memory, pools, ports, network, rdns, clock, permissions,
      database,
      backups, orphans
  }

  let severity: Severity
  let area: Area
  let text: String
  let meaning: String
  /// A command, or what to do where there is none.
  let remedy: String

  static func warning(_ area: Area, _ text: String, _ meaning: String, remedy: String) -> Finding {
    Finding(severity: .warning, area: area, text: text, meaning: meaning, remedy: remedy)
  }

  static func error(_ area: Area, _ text: String, _ meaning: String, remedy: String) -> Finding {
    Finding(severity: .error, area: area, text: text, meaning: meaning, remedy: remedy)
  }
}
