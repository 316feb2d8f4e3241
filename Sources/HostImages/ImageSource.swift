import Foundation

/// Where an image comes from, and how it is verified to be the one that its publisher made.
package struct ImageSource: Codable, Sendable, Equatable {
  /// The path of a file on this host.
  package var file: String?
  package var url: String?
  /// The digest that the operator has given.
  package var sha256: String?
  /// The address of the publisher's list of checksums.
  package var checksums: String?
  /// The address of the list's signature, unless the list contains it; of the image's signature where there is no list.
  package var signature: String?
  /// The keys that may sign: a file of this host, or an address. Keys from an address count only with the fingerprint.
  package var keyring: String?
  /// The fingerprint of the key that must have signed.
  package var fingerprint: String?

  package init() {}

  /// What is wrong with the source, starting with the name of the option; nil where nothing is.
  package var violation: String? {
    if (file == nil) == (url == nil) { return "Give either --file or --url." }
    for (option, text) in [("--url", url), ("--checksums", checksums), ("--signature", signature)] {
      if let text, let violation = WebAddress.violation(in: text) { return "\(option): \(violation)" }
    }
    if let keyring, keyring.contains("://"), let violation = WebAddress.violation(in: keyring) {
      return "--keyring: \(violation)"
    }
    if let sha256, Digest(hexadecimal: sha256)?.algorithm != .sha256 {
      return "--sha256: Write the 64 hexadecimal digits of a SHA-256."
    }
    if let fingerprint, !(fingerprint.utf8.count == 40 || fingerprint.utf8.count == 64) || !fingerprint.isHexadecimal {
      return "--fingerprint: Write the 40 hexadecimal digits of a key's fingerprint, without spaces."
    }
    return violationOfTrust
  }

  private var violationOfTrust: String? {
    if sha256 != nil, checksums != nil || signature != nil { return "Give --sha256 or --checksums, not both." }
    if file != nil, checksums != nil || signature != nil { return "A file is held to --sha256, or to nothing." }
    if url != nil, sha256 == nil, checksums == nil, signature == nil {
      return "--url: What comes from the network is held to a checksum: give --sha256 or --checksums."
    }
    if keyring == nil, signature != nil || fingerprint != nil {
      return "--keyring: Give the keys that the signature is to be checked with."
    }
    if keyring != nil, checksums == nil, signature == nil { return "--keyring: There is no signature to be checked." }
    if let keyring, keyring.contains("://"), fingerprint == nil {
      return "--fingerprint: Keys from the network count for what their fingerprint says: give it."
    }
    if let checksums, keyring == nil, !WebAddress.isUnalterable(checksums) {
      return "--checksums: What comes by plain HTTP may be anybody's: give --keyring, or a list at https://."
    }
    return nil
  }
}

enum WebAddress {
  static let maximumBytes = 2048

  static func violation(in text: String) -> String? {
    guard text.utf8.count <= maximumBytes, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
      let address = URLComponents(string: text), ["http", "https"].contains(address.scheme),
      address.host?.isEmpty == false
    else { return "Write an address that begins with https:// or http://, of \(maximumBytes) characters at most." }
    if address.user != nil || address.password != nil { return "It is stored and shown: it may hold no password." }
    return nil
  }

  /// The last part of the address's path.
  static func fileName(of text: String) -> String {
    URLComponents(string: text)?.path.split(separator: "/").last.map(String.init) ?? ""
  }

  /// Whether nobody on the way can alter what is fetched from there.
  static func isUnalterable(_ text: String) -> Bool {
    guard let address = URLComponents(string: text) else { return false }
    let host = address.host ?? ""
    return address.scheme == "https" || host == "localhost" || host == "[::1]" || host.hasPrefix("127.")
  }
}

/// The checksum of a file.
package struct Digest: Sendable, Equatable {
  package enum Algorithm: String, Sendable, CaseIterable {
    case sha256
    case sha512

    var program: String { "\(rawValue)sum" }
    var digits: Int { self == .sha256 ? 64 : 128 }
    var name: String { self == .sha256 ? "SHA256" : "SHA512" }
  }

  package let algorithm: Algorithm
  /// In lower case.
  package let text: String

  init?(hexadecimal text: some StringProtocol) {
    guard let algorithm = Algorithm.allCases.first(where: { $0.digits == text.utf8.count }), text.isHexadecimal else {
      return nil
    }
    self.algorithm = algorithm
    self.text = text.lowercased()
  }
}

extension StringProtocol {
  var isHexadecimal: Bool {
    utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20) }
  }
}
