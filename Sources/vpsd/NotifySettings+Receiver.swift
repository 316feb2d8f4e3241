import Core
import Foundation
import NoticeDelivery

extension NotifySettings {
  /// What delivers notices; nil where nothing is configured. Throws `ConfigurationError` where what is configured is not there, or
  /// others can read the secret.
  func receiver() throws -> (any NoticeReceiver)? {
    if let program = command.first, let from {
      guard access(program, X_OK) == 0, !isDirectory(program) else {
        throw Self.error("notify.command", "\(program) is no program that can be started")
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
    let path = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    let text: Data
    do {
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      guard attributes[.type] as? FileAttributeType == .typeRegular else { throw error(key, "\(path) is no file") }
      guard (attributes[.posixPermissions] as? NSNumber).map({ $0.intValue & 0o077 }) == 0,
        (attributes[.ownerAccountID] as? NSNumber)?.uint32Value == geteuid()
      else {
        throw error(
          key, "others can read \(path), or it is another user's: chmod 600, and chown to the user who runs vpsd")
      }
      text = try FileHandle(forReadingFrom: URL(fileURLWithPath: path)).read(upToCount: 256) ?? Data()
    } catch let error as ConfigurationError {
      throw error
    } catch {
      throw Self.error(key, "\(path) cannot be read: \(error.localizedDescription)")
    }
    guard
      let secret = WebhookSecret(String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    else {
      throw error(
        key,
        "\(path) holds no secret: it must be whsec_ and 24 to 64 bytes in base64, "
          + "such as `echo whsec_$(openssl rand -base64 32)` prints")
    }
    return secret
  }

  private static func error(_ key: String, _ message: String) -> ConfigurationError {
    let variable = ConfigurationKey.all.first { $0.name == key }?.variable ?? key
    return ConfigurationError(problems: [.init(origin: variable, key: key, message: message)])
  }
}
