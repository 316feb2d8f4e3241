import Core
import Foundation
package import PrivateFiles

/// The restrictions for a program that reads untrusted files: a user that owns nothing else, no way to gain privileges, no
/// processes that outlive it, no network unless it needs one, and limits.
package struct Confinement: Sendable {
  package var user: FileOwner
  package var hasNetwork = false
  /// The most bytes of each file that it writes.
  package var fileBytes: Int64
  package var memoryBytes: Int64 = 4 << 30
  package var processorSeconds = 3600

  package init(user: FileOwner, fileBytes: Int64) {
    self.user = user
    self.fileBytes = fileBytes
  }

  /// A random user above those of servers, so that two programs rarely share one; `nobody` in a container that lacks it. Where
  /// this process is not root, its own user.
  package static func newUser() -> FileOwner {
    guard geteuid() == 0 else { return FileOwner(user: geteuid(), group: getegid()) }
    let number = UInt32.random(in: 0x7200_0000...0x72FF_FFFF)
    return hasUser(number) ? FileOwner(user: number, group: number) : FileOwner(user: 65534, group: 65534)
  }

  /// Inside a container some user IDs may not exist.
  private static func hasUser(_ user: UInt32) -> Bool {
    guard let map = try? String(contentsOfFile: "/proc/self/uid_map", encoding: .utf8) else { return false }
    return map.split(separator: "\n").contains { line in
      let numbers = line.split(separator: " ").compactMap { UInt32($0) }
      return numbers.count == 3 && user >= numbers[0] && user - numbers[0] < numbers[2]
    }
  }

  /// The words that come before the program in the command line.
  func commandLine() throws -> [String] {
    let isRoot = geteuid() == 0
    // The kernel clears the parent-death signal when a process changes its user, so it is set here once more.
    var setpriv = ["--pdeathsig", "KILL", "--no-new-privs"]
    if isRoot {
      setpriv += [
        "--reuid", "\(user.user)", "--regid", "\(user.group)", "--clear-groups", "--inh-caps=-all",
        "--bounding-set=-all",
      ]
    }
    let limits = [
      "--core=0", "--cpu=\(processorSeconds)", "--as=\(memoryBytes)", "--fsize=\(fileBytes)", "--nofile=256",
    ]
    return try [Self.path("prlimit")] + limits + namespaces(isRoot) + [Self.path("setpriv")] + setpriv
  }

  /// In a PID namespace all processes end with the first one, which ends with this process. Where the kernel refuses
  /// namespaces, as in some containers, only the user and the limits remain.
  private func namespaces(_ isRoot: Bool) throws -> [String] {
    var options = ["--pid", "--ipc", "--fork", "--kill-child=KILL"]
    if !hasNetwork { options.append("--net") }
    if !isRoot { options.append("--map-current-user") }
    let isPossible = isRoot ? Self.rootMakesNamespaces : Self.othersMakeNamespaces
    return isPossible ? try [Self.path("unshare")] + options : []
  }

  private static let rootMakesNamespaces = makesNamespaces([])
  private static let othersMakeNamespaces = makesNamespaces(["--map-current-user"])

  private static func makesNamespaces(_ options: [String]) -> Bool {
    let trial = HostProgram("unshare", options + ["--pid", "--ipc", "--net", "--fork", "--kill-child=KILL", "true"])
    return (try? trial.run(within: .seconds(10))) != nil
  }

  private static func path(_ program: String) throws -> String {
    guard let path = HostProgram.path(of: program) else {
      throw DriverError(.rejected, "\(program) is not installed on this host")
    }
    return path
  }
}
