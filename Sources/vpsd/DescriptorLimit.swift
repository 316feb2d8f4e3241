import API
import Foundation
import Logging

/// How many files and sockets this process may have open. The system begins with few, for old programs' sake, and lets each
/// take as many as its hard limit says.
struct DescriptorLimit {
  /// What the service itself needs beside connections and consoles: the database, threads, the hypervisor, files at work.
  static let reserve = 64

  let count: Int

  /// Takes all that the system lets us have.
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

  /// What there is room for of these connections, of which consoles take two descriptors each.
  func fitting(_ connections: ConnectionLimits, consoles: Int, logger: Logger) -> ConnectionLimits {
    let room = max(count - Self.reserve, 16)
    let wanted = connections.connections > 0 ? connections.connections : room
    let consoles = consoles > 0 ? min(consoles, wanted) : wanted
    // Where there is little, consoles get no more than their part of it.
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
