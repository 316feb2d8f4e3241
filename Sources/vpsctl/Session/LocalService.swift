import FoundationEssentials
import Glibc

/// Finds the service of this machine by the files in its data directory.
enum LocalService {
  static func find() throws -> Context? {
    for (folder, isTrusted) in candidates {
      let (url, token) = (folder + "/url", folder + "/token")
      // An untrusted folder must be the user's own, or somebody else could place one there and receive the user's commands.
      guard isTrusted || [folder, url, token].allSatisfy(SecretFile.isOwn) else { continue }
      guard access(token, F_OK) == 0 || errno == EACCES, access(folder, F_OK) == 0 else { continue }
      guard access(url, R_OK) == 0, access(token, R_OK) == 0 else {
        if access(url, F_OK) != 0, errno == ENOENT { continue }
        throw Refusal(
          .refused,
          "A service of this machine has its token in \(folder), which only its owner may read. Use sudo, or make a context:",
          "sudo cat \(token) | vpsctl context create local --url http://127.0.0.1:8080 --token-stdin")
      }
      // The file may be left by a service that has ended, and its port may belong to another program now.
      guard isServed(folder) else { continue }
      guard let url = try SecretFile.read(url)?.trimmed, let token = try SecretFile.readSecret(token)?.trimmed else {
        continue
      }
      return Context(url: url, token: token, tokenCommand: nil)
    }
    return nil
  }

  /// Whether a process holds the lock of the data directory, which is queried without being taken.
  private static func isServed(_ folder: String) -> Bool {
    let descriptor = open(folder + "/vpsd.lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var lock = flock()
    lock.l_type = Int16(F_WRLCK)
    lock.l_whence = Int16(SEEK_SET)
    return fcntl(descriptor, getLock, &lock) == 0 && lock.l_type != Int16(F_UNLCK)
  }

  /// F_OFD_GETLK, which fcntl.h defines only with the GNU extensions.
  private static let getLock: CInt = 36

  /// The configured data directory, the one below the working directory, the one of the checkout in which this program was
  /// built, and that of the package.
  private static var candidates: [(folder: String, isTrusted: Bool)] {
    var folders: [(String, Bool)] = []
    if let folder = Terminal.environment("VPSD_DATA_DIR") { folders.append((folder, true)) }
    folders.append((FileManager.default.currentDirectoryPath + "/var", false))
    // .build/release/vpsctl, or .build/x86_64-unknown-linux-gnu/release/vpsctl
    if var program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
      while let slash = program.lastIndex(of: "/"), slash != program.startIndex {
        program = String(program[..<slash])
        if program.hasSuffix("/.build") { folders.append((program.dropLast("/.build".count) + "/var", true)) }
      }
    }
    folders.append(("/var/lib/vpsd", true))
    return folders
  }
}
