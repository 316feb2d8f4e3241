import Foundation

/// The resource usage of this process.
struct ProcessFigures {
  let residentBytes: Double?
  let cpuSeconds: Double
  let openDescriptors: Double?
  let mostDescriptors: Double?
  /// In seconds since 1970.
  let startedAtSeconds: Double?

  static func now() -> ProcessFigures {
    var usage = rusage()
    var limit = rlimit()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let hasLimit = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
    let pages = text("/proc/self/statm").split(separator: " ").dropFirst().first.flatMap { Double($0) }
    return ProcessFigures(
      residentBytes: pages.map { $0 * Double(sysconf(Int32(_SC_PAGESIZE))) },
      cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
      openDescriptors: (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")).map { Double($0.count) },
      mostDescriptors: hasLimit ? Double(limit.rlim_cur) : nil, startedAtSeconds: startedAt)
  }

  private static let startedAt: Double? = {
    // The fields after the program's name, which is in parentheses and may contain spaces.
    let words = text("/proc/self/stat").split(separator: ")").last?.split(separator: " ") ?? []
    let boot = text("/proc/stat").split(separator: "\n").first { $0.hasPrefix("btime ") }?.split(separator: " ").last
    guard words.count > 19, let ticks = Double(words[19]), let boot = boot.flatMap({ Double($0) }) else { return nil }
    return boot + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
  }()

  private static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

  private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000 }
}
