import FoundationEssentials
import Glibc

/// The service of this machine, by the files that it leaves in its data directory for whoever may read them.
enum LocalService {
  static func find() throws -> Context? {
    for folder in candidates {
      let (url, token) = (folder + "/url", folder + "/token")
      guard access(token, F_OK) == 0 || errno == EACCES, access(folder, F_OK) == 0 else { continue }
      guard access(url, R_OK) == 0, access(token, R_OK) == 0 else {
        if access(url, F_OK) != 0, errno == ENOENT { continue }
        throw Refusal(
          .refused,
          "A service of this machine has its token in \(folder), which only its owner may read. Use sudo, or make a context:",
          "sudo cat \(token) | vpsctl context create local --url http://127.0.0.1:8080 --token-stdin")
      }
      guard let url = try SecretFile.read(url)?.trimmed, let token = try SecretFile.readSecret(token)?.trimmed else {
        continue
      }
      return Context(url: url, token: token, tokenCommand: nil)
    }
    return nil
  }

  /// Where the service's settings say, where it is started from, and where this program was built with it.
  private static var candidates: [String] {
    var folders: [String] = []
    if let folder = Terminal.environment("VPSD_DATA_DIR") { folders.append(folder) }
    folders.append(FileManager.default.currentDirectoryPath + "/var")
    // .build/release/vpsctl, or .build/x86_64-unknown-linux-gnu/release/vpsctl
    if var program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
      while let slash = program.lastIndex(of: "/"), slash != program.startIndex {
        program = String(program[..<slash])
        if program.hasSuffix("/.build") { folders.append(program.dropLast("/.build".count) + "/var") }
      }
    }
    folders.append("/var/lib/vpsd")
    return folders
  }
}
