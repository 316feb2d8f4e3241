import Foundation

/// Several user data in one MIME archive, which cloud-init accepts. cloud-init tells the kind of each by its first line.
struct UserDataParts {
  private let parts: [String]

  private static let boundary = "==vpsd=="

  init(_ parts: String...) {
    self.parts = parts
  }

  var text: String {
    var text = "Content-Type: multipart/mixed; boundary=\"\(Self.boundary)\"\nMIME-Version: 1.0\n\n"
    for part in parts {
      // In base64 no line can look like a boundary.
      let body = Data(part.utf8).base64EncodedString(options: [.lineLength76Characters, .endLineWithLineFeed])
      text += "--\(Self.boundary)\nMIME-Version: 1.0\nContent-Type: \(Self.type(of: part))\n"
      text += "Content-Transfer-Encoding: base64\n\n\(body)\n"
    }
    return text + "--\(Self.boundary)--\n"
  }

  private static func type(of part: String) -> String {
    part.utf8.starts(with: "#!".utf8) ? "text/x-shellscript" : "text/cloud-config"
  }
}
