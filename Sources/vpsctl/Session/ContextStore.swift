import FoundationEssentials
import Glibc

/// A service with the credentials for it.
struct Context {
  var url: String
  var token: String?
  /// A command of the user that prints the token.
  var tokenCommand: String?

  static let fields = ["url", "token", "token_command"]

  /// - Parameter path: The path of the file, for errors.
  init(parsing text: String, _ path: String) throws {
    var values: [String: String] = [:]
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let line = line.trimmed
      if line.isEmpty || line.hasPrefix("#") { continue }
      guard let colon = line.firstIndex(of: ":"), Self.fields.contains(String(line[..<colon])) else {
        throw Refusal(
          .refused, "\(path), line \(index + 1): a field is one of \(Self.fields.joined(separator: ", ")), and a colon."
        )
      }
      values[String(line[..<colon])] = line[line.index(after: colon)...].trimmed
    }
    guard let url = values["url"] else { throw Refusal(.refused, "\(path) has no url.") }
    self.init(url: url, token: values["token"], tokenCommand: values["token_command"])
  }

  init(url: String, token: String?, tokenCommand: String?) {
    self.url = url
    self.token = token
    self.tokenCommand = tokenCommand
  }

  var text: String {
    "url: \(url)\n" + (token.map { "token: \($0)\n" } ?? "") + (tokenCommand.map { "token_command: \($0)\n" } ?? "")
  }

  func readToken() throws -> String? {
    if let token { return token }
    guard let tokenCommand else { return nil }
    signal(SIGPIPE, SIG_DFL)
    defer { signal(SIGPIPE, SIG_IGN) }
    guard let pipe = popen(tokenCommand, "r") else { throw Refusal(.failed, "The token_command cannot be run.") }
    var bytes: [UInt8] = []
    var byte = fgetc(pipe)
    while byte != EOF, bytes.count < 65536 {
      bytes.append(UInt8(truncatingIfNeeded: byte))
      byte = fgetc(pipe)
    }
    guard pclose(pipe) == 0 else { throw Refusal(.failed, "The token_command of the context failed.") }
    return String(decoding: bytes, as: UTF8.self).trimmed
  }
}

/// Contexts are files named after them, below the XDG folder for settings.
enum ContextStore {
  static var folder: String {
    let base = Terminal.environment("XDG_CONFIG_HOME") ?? (Terminal.environment("HOME") ?? "") + "/.config"
    return base + "/vpsctl"
  }

  static var stateFolder: String {
    let base = Terminal.environment("XDG_STATE_HOME") ?? (Terminal.environment("HOME") ?? "") + "/.local/state"
    return base + "/vpsctl"
  }

  static func path(_ name: String) -> String { folder + "/contexts/" + name }

  static func requireName(_ name: String) throws {
    let isPlain = name.utf8.allSatisfy {
      (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || [45, 46, 95].contains($0)
    }
    guard isPlain, !name.isEmpty, name.utf8.count <= 64, !name.hasPrefix(".") else {
      throw Refusal(.refused, "name: a context's name is 1 to 64 letters, digits, - , _ and dots, no dot first.")
    }
  }

  static func names() -> [String] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/contexts")) ?? []
    return all.filter { (try? requireName($0)) != nil }.sorted()
  }

  static func read(_ name: String) throws -> Context {
    try requireName(name)
    guard let text = try SecretFile.readSecret(path(name)) else {
      let names = names()
      throw Refusal(
        .notFound,
        "There is no context \(name)." + (names.isEmpty ? "" : " There are: \(names.joined(separator: ", "))."))
    }
    return try Context(parsing: text, path(name))
  }

  /// The context in use: the one in the file `.vpsctl` of this folder or one above it, or else the one that `context use` has
  /// set.
  static func current() throws -> String? {
    if let name = try ofFolder() { return name }
    return try SecretFile.read(folder + "/current")?.trimmed
  }

  /// The file only names a context, so that a folder from somebody else cannot make this program send a token elsewhere or run
  /// a command.
  private static func ofFolder() throws -> String? {
    var folder = FileManager.default.currentDirectoryPath
    while true {
      let path = (folder == "/" ? "" : folder) + "/.vpsctl"
      var status = stat()
      if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, let text = try SecretFile.read(path) {
        guard SecretFile.isOwn(path), SecretFile.isOwn(folder) else {
          throw Refusal(
            .refused, "\(path): it, or its folder, is somebody else's, who may not choose your context. Say --context.")
        }
        let name = text.trimmed
        let value = name.hasPrefix("context:") ? name.dropFirst("context:".count).trimmed : name
        guard (try? requireName(value)) != nil else {
          throw Refusal(.refused, "\(path): it holds the name of a context, and nothing else.")
        }
        return value
      }
      guard folder != "/", let slash = folder.lastIndex(of: "/") else { return nil }
      folder = slash == folder.startIndex ? "/" : String(folder[..<slash])
    }
  }
}

extension StringProtocol {
  var trimmed: String {
    let rest = unicodeScalars.drop { $0.properties.isWhitespace }
    return String(String.UnicodeScalarView(rest.reversed().drop { $0.properties.isWhitespace }.reversed()))
  }
}
