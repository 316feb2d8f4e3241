import Foundation

extension ImageStore {
  /// The image of containers that `images/container` has made of a version's disk; nil where there is none.
  package func containerArchive(of name: String, version: String) -> String? {
    guard let disk = try? diskPath(of: name, version: version) else { return nil }
    let path = "\((disk as NSString).deletingLastPathComponent)/container.tar.zst"
    return access(path, R_OK) == 0 ? path : nil
  }
}
