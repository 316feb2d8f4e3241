import API
import Foundation
import Logging

/// How many files and sockets this process may have open. The default is low, for the sake of old programs, and a process may
/// raise it up to its hard limit.
struct DescriptorLimit {
  /// What the service needs besides connections and consoles: for the database, threads, the hypervisor, and files that are
  /// open.
  static let reserve = 64

  let count: Int

  /// Raises the limit as far as the system allows.
  static func raised() -> DescriptorLimit {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      return DescriptorLimit(count: Int(sysconf(Int32(_SC_OPEN_MAX))))
    }
    if limit.rlim_cur < limit.rlim_max {
      var wanted = limit
      wanted.rlim_cur = limit.rlim_max
      if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &wanted) == 0 { limit = wanted }
    }
    return DescriptorLimit(count: Int(min(limit.rlim_cur, rlim_t(Int32.max))))
  }

  /// The connection limits, reduced to what fits. Consoles take two descriptors each.
  func fitting(_ connections: ConnectionLimits, consoles: Int, logger: Logger) -> ConnectionLimits {
    let room = max(count - Self.reserve, 16)
    let wanted = connections.connections > 0 ? connections.connections : room
    let consoles = consoles > 0 ? min(consoles, wanted) : wanted
    // If descriptors are scarce, consoles get no more than half of them.
    let fitting = wanted + consoles <= room ? wanted : max(room - min(consoles, room / 2), 8)
    guard fitting < wanted || connections.connections == 0 else { return connections }
    var fitted = connections
    fitted.connections = fitting
    if connections.connections > 0 {
      logger.warning(
        "fewer connections than configured fit into the limit of open files (RLIMIT_NOFILE)",
        metadata: ["connections": "\(fitting)", "configured": "\(wanted)", "open_files": "\(count)"])
    }
    return fitted
  }
}
