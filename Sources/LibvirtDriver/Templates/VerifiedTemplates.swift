import Foundation
import Synchronization

/// The templates whose files this process has read completely and found intact. That takes too long for a create, so it happens
/// in the background; a create only checks that the files have not been touched since.
final class VerifiedTemplates: Sendable {
  /// Differs after any change or replacement of the file.
  struct Print: Equatable {
    private let numbers: [Int]

    /// Nil if there is no such file, or others could write to it.
    init?(of path: String) {
      var status = stat()
      guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(),
        status.st_mode & 0o077 == 0
      else { return nil }
      numbers = [
        Int(status.st_dev), Int(status.st_ino), Int(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
        status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
      ]
    }
  }

  private let prints = Mutex<[UUID: [Print]]>([:])

  static func prints(of template: Template) -> [Print]? {
    guard let disk = Print(of: template.disk), let state = Print(of: template.state) else { return nil }
    return [disk, state]
  }

  func isVerified(_ template: Template) -> Bool {
    guard let now = Self.prints(of: template) else { return false }
    return prints.withLock { $0[template.id] == now }
  }

  /// - Parameter prints: Taken before the files were read.
  func note(_ template: Template, _ prints: [Print]) { self.prints.withLock { $0[template.id] = prints } }

  func forget(_ id: UUID) { _ = prints.withLock { $0.removeValue(forKey: id) } }
}
