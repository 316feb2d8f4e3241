import Foundation

/// An OpenSSH public key that has been taken apart and found whole.
package struct PublicKey: Sendable, Equatable {
  package let type: String
  package let blob: [UInt8]
  package let comment: String

  /// Types that a current OpenSSH accepts for authentication, and how many fields follow the type.
  private static let fieldCounts = [
    "ssh-ed25519": 1,
    "ssh-rsa": 2,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "sk-ssh-ed25519@openssh.com": 2,
    "sk-ecdsa-sha2-nistp256@openssh.com": 3,
  ]

  /// Reads one line of an authorized_keys file without options; nil for anything else.
  package init?(_ text: String) {
    let line = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard line.utf8.count <= 16_384, !line.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
    else { return nil }
    let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
    guard parts.count >= 2, let fieldCount = Self.fieldCounts[String(parts[0])],
      let data = Data(base64Encoded: String(parts[1])),
      let fields = Self.fields(of: [UInt8](data)), fields.count == fieldCount + 1,
      fields[0].elementsEqual(parts[0].utf8), fields.dropFirst().allSatisfy({ !$0.isEmpty })
    else { return nil }
    if parts[0] == "ssh-ed25519", fields[1].count != 32 { return nil }
    // OpenSSH refuses RSA keys of less than 2048 bits in practice, and so do we: the modulus has a leading zero byte.
    if parts[0] == "ssh-rsa", fields[2].count < 256 { return nil }
    type = String(parts[0])
    blob = [UInt8](data)
    comment = parts.count == 3 ? parts[2].trimmingCharacters(in: .whitespaces) : ""
  }

  package var line: String {
    let key = "\(type) \(Data(blob).base64EncodedString())"
    return comment.isEmpty ? key : "\(key) \(comment)"
  }

  package var fingerprint: String {
    let digest = Data(SHA256.digest(blob)).base64EncodedString()
    return "SHA256:" + digest.prefix { $0 != "=" }
  }

  /// Splits a blob into its length-prefixed fields; nil where the lengths do not add up.
  private static func fields(of blob: [UInt8]) -> [ArraySlice<UInt8>]? {
    var fields: [ArraySlice<UInt8>] = []
    var rest = blob[...]
    while !rest.isEmpty {
      guard rest.count >= 4 else { return nil }
      let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      rest = rest.dropFirst(4)
      guard length <= rest.count else { return nil }
      fields.append(rest.prefix(length))
      rest = rest.dropFirst(length)
    }
    return fields
  }
}
