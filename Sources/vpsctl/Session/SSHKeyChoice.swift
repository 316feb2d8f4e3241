import APIClient
import FoundationEssentials
import Glibc

/// A key that may log in: one that the service has, or a file to register.
struct SSHKeyChoice {
  private enum Source {
    case known(JSON)
    case file(PublicKeyFile)
    case wrong(String)
  }

  private let source: Source

  static func of(_ texts: [String], _ session: Session) async throws -> [SSHKeyChoice] {
    guard !texts.isEmpty else { return [] }
    let all = try await session.client.list(Kind.sshKey.path)
    return texts.map { text in
      // A key must be named exactly, because it lets somebody log in.
      let choice = Session.choose(.sshKey, text, all, isExact: true)
      if case .found(let key) = choice { return SSHKeyChoice(source: .known(key)) }
      do {
        guard let file = try PublicKeyFile(text) else {
          if case .missing(let message) = choice {
            return SSHKeyChoice(source: .wrong(message + " And there is no such file."))
          }
          if case .ambiguous(let message) = choice {
            return SSHKeyChoice(source: .wrong(message))
          }
          return SSHKeyChoice(source: .wrong("There is no such key."))
        }
        let known = all.first { $0["public_key"]?.string.map(PublicKeyFile.blob) == PublicKeyFile.blob(file.text) }
        return SSHKeyChoice(source: known.map { .known($0) } ?? .file(file))
      } catch {
        return SSHKeyChoice(source: .wrong((error as? Refusal)?.lines.joined(separator: " ") ?? "\(error)"))
      }
    }
  }

  var error: APIError.Field? {
    guard case .wrong(let message) = source else { return nil }
    return APIError.Field(name: "ssh_key_id", messages: [message])
  }

  /// The service's ID of the key, which is registered first if necessary.
  func registered(_ session: Session) async throws -> JSON {
    switch source {
    case .known(let key): return key["id"] ?? .null
    case .file(let file):
      let key = try await OptionErrors.naming {
        try await session.client.request(
          "POST", "/ssh-keys/", body: ["name": .string(file.name), "public_key": .string(file.text)]
        ).json()
      }
      Terminal.tell("The SSH key \(Kind.sshKey.title(of: key)) is registered.".escapedForTerminal)
      return key["id"] ?? .null
    case .wrong: return .null
    }
  }
}

/// A public key on one line. A private key is never sent.
struct PublicKeyFile {
  let text: String
  /// The comment of the key, or the name of the file.
  let name: String

  /// Nil where the file does not exist.
  init?(_ path: String) throws {
    var path = path
    if path.hasPrefix("~/"), let home = Terminal.environment("HOME") { path = home + path.dropFirst() }
    guard var content = try Self.read(path) else { return nil }
    if content.contains("PRIVATE KEY") {
      guard let beside = try Self.read(path + ".pub") else {
        throw Refusal(.refused, "\(path) is a private key, which stays here; there is no \(path).pub beside it.")
      }
      content = beside
    }
    text = content.trimmed
    let parts = text.split(separator: " ", maxSplits: 2)
    guard parts.count >= 2, !text.contains("\n") else {
      throw Refusal(.refused, "\(path) is no public key: one line, as in ~/.ssh/id_ed25519.pub.")
    }
    let file = path.split(separator: "/").last.map(String.init) ?? path
    name = String((parts.count == 3 ? parts[2].trimmed : file).prefix(64))
  }

  private static func read(_ path: String) throws -> String? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return try SecretFile.read(path)
  }

  /// Type and data of the key, without its comment.
  static func blob(_ text: String) -> String {
    text.split(separator: " ").prefix(2).joined(separator: " ")
  }
}
