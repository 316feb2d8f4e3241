import Core
import Foundation
import NoticeDelivery

extension NotifySettings {
  /// Delivers notices; nil where nothing is configured. Throws `ConfigurationError` where the configured program or file does
  /// not exist, or others can read the secret.
  func receiver() throws -> (any NoticeReceiver)? {
    if let program = command.first, let from {
      guard access(program, X_OK) == 0, !isDirectory(program) else {
        throw ConfigurationError("notify.command", "\(program) is no program that can be started")
      }
      return MailProgram(command, from: from)
    }
    if let webhook, let secretFile {
      return Webhook(webhook, secret: try Self.secret(in: secretFile))
    }
    return nil
  }

  private func isDirectory(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
  }

  private static func secret(in path: String) throws -> WebhookSecret {
    let key = "notify.secret_file"
    let text = try SecretFile.text(in: path, atMost: 256, for: key)
    guard
      let secret = WebhookSecret(text.trimmingCharacters(in: .whitespacesAndNewlines))
    else {
      throw ConfigurationError(
        key,
        "\(path) holds no secret: it must be whsec_ and 24 to 64 bytes in base64, "
          + "such as `echo whsec_$(openssl rand -base64 32)` prints")
    }
    return secret
  }
}
