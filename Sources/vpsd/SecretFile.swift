import Foundation

/// A configured file that contains a secret.
enum SecretFile {
  /// Throws `ConfigurationError` where the file does not exist, or others can read it.
  ///
  /// - Parameter key: The key that names the file.
  static func text(in path: String, atMost bytes: Int, for key: String) throws -> String {
    let path = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    do {
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      guard attributes[.type] as? FileAttributeType == .typeRegular else {
        throw ConfigurationError(key, "\(path) is no file")
      }
      guard (attributes[.posixPermissions] as? NSNumber).map({ $0.intValue & 0o077 }) == 0,
        (attributes[.ownerAccountID] as? NSNumber)?.uint32Value == geteuid()
      else {
        throw ConfigurationError(
          key, "others can read \(path), or it is another user's: chmod 600, and chown to the user who runs vpsd")
      }
      let data = try FileHandle(forReadingFrom: URL(fileURLWithPath: path)).read(upToCount: bytes) ?? Data()
      return String(decoding: data, as: UTF8.self)
    } catch let error as ConfigurationError {
      throw error
    } catch {
      throw ConfigurationError(key, "\(path) cannot be read: \(error.localizedDescription)")
    }
  }
}

extension ConfigurationError {
  /// A problem with the value of a key.
  init(_ key: String, _ message: String) {
    let variable = ConfigurationKey.all.first { $0.name == key }?.variable ?? key
    self.init(problems: [.init(origin: variable, key: key, message: message)])
  }
}
