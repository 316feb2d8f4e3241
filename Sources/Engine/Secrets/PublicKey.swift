import Core
import Foundation

/// An OpenSSH public key, parsed and checked.
package struct PublicKey: Sendable, Equatable {
  /// Why a text is not accepted as a key, in words for the customer who sent it.
  package struct Refusal: Error, Equatable {
    package let message: String

    static let notAKey = Refusal(message: "Enter a valid OpenSSH public key.")
  }

  /// Of a whole line, with its comment.
  package static let maximumBytes = 16_384

  package let type: String
  package let blob: [UInt8]
  package let comment: String

  /// Reads one line of an authorized_keys file without options: type, base 64 and perhaps a comment, with spaces or tabs
  /// between them. Control characters in the comment become spaces.
  package init(_ text: String) throws(Refusal) {
    var rest = text.utf8[...].trimmed
    guard rest.count <= Self.maximumBytes else {
      throw Refusal(message: "Ensure this field has no more than \(Self.maximumBytes) bytes.")
    }
    guard !rest.starts(with: "-----BEGIN".utf8) else {
      throw Refusal(message: "This is no public key in one line, as ssh-keygen writes it to a file ending in .pub.")
    }
    guard rest.allSatisfy({ $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }) else {
      throw Refusal(message: "Enter one key, in one line.")
    }
    let type = rest.takeWord()
    let base64 = rest.takeWord()
    guard type.isPlain(atMost: 64), base64.isPlain(atMost: Self.maximumBytes), let data = Data(base64Encoded: base64)
    else {
      throw .notAKey
    }
    blob = [UInt8](data)
    try PublicKeyBlob.check(blob, type)
    self.type = type
    let scalars = String(Substring(rest.trimmed)).unicodeScalars.map { $0.isControl ? " " : $0 }
    comment = String(Substring(String(String.UnicodeScalarView(scalars)).utf8[...].trimmed))
  }

  package var line: String {
    let key = "\(type) \(Data(blob).base64EncodedString())"
    return comment.isEmpty ? key : "\(key) \(comment)"
  }

  package var fingerprint: String {
    let digest = Data(SHA256.digest(blob)).base64EncodedString()
    return "SHA256:" + digest.prefix { $0 != "=" }
  }
}

extension Substring.UTF8View {
  fileprivate static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

  /// Without spaces, tabs and ends of lines on either side.
  fileprivate var trimmed: Self {
    var rest = self
    let isBlank = { (byte: UInt8) in Self.isSpace(byte) || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }
    while let byte = rest.first, isBlank(byte) { rest.removeFirst() }
    while let byte = rest.last, isBlank(byte) { rest.removeLast() }
    return rest
  }

  /// Removes and returns everything up to the next space or tab; removes the spaces and tabs that follow, too.
  fileprivate mutating func takeWord() -> String {
    let word = prefix { !Self.isSpace($0) }
    self = dropFirst(word.count).drop(while: Self.isSpace)
    return String(Substring(word))
  }
}
