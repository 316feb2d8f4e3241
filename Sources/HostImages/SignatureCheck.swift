import Foundation
import HostPrograms

/// Whether a fetched file is signed by a key that the operator trusts, as verified by gpgv.
struct SignatureCheck {
  let folder: WorkFolder
  /// What is verified, in words for refusals: `https://…/SHA256SUMS`.
  let what: String
  let fingerprint: String?

  private static let keyring = "keyring.gpg"

  init(of what: String, keys: [UInt8], fingerprint: String?, in folder: WorkFolder) throws {
    self.what = what
    self.fingerprint = fingerprint?.uppercased()
    self.folder = folder
    let path = "\(folder.workbench)/\(Self.keyring)"
    let binary = try ArmoredKeys.binary(keys)
    guard FileManager.default.createFile(atPath: path, contents: Data(binary), attributes: [.posixPermissions: 0o644])
    else { throw ImageRefusal.failed("The keys cannot be written to \(path).") }
    try folder.user.takeIfPossible(path)
  }

  static func isClearSigned(_ text: [UInt8]) -> Bool {
    text.starts(with: Array("-----BEGIN PGP SIGNED MESSAGE-----".utf8))
  }

  /// The signed part of a text that contains its own signature: the signature does not cover what surrounds it.
  func signedText(in file: String) throws -> [UInt8] {
    let verified = "verified"
    unlink("\(folder.workbench)/\(verified)")
    try check(["--output", verified, file], bytes: Int64(ChecksumList.maximumBytes))
    return try RegularFile.bytes(of: "\(folder.workbench)/\(verified)", atMost: ChecksumList.maximumBytes)
  }

  func requireSignature(_ signature: String, of file: String, bytes: Int64) throws {
    try check([signature, file], bytes: bytes)
  }

  private func check(_ arguments: [String], bytes: Int64) throws {
    let ending = try folder.end(
      "gpgv",
      ["--homedir", ".", "--keyring", "./\(Self.keyring)", "--status-fd", "1", "--log-file", "gpgv.log"] + arguments,
      fileBytes: max(bytes, 1 << 20), within: .forBytes(bytes))
    let status = ending.output.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("[GNUPG:] ") }
      .map { $0.split(separator: " ").dropFirst().map(String.init) }
    func has(_ words: String...) -> Bool { status.contains { words.contains($0.first ?? "") } }
    if has("BADSIG") { throw ImageRefusal.unfit("\(what) is not what was signed: its signature is wrong.") }
    if has("EXPKEYSIG", "REVKEYSIG", "EXPSIG") {
      throw ImageRefusal.unfit("\(what) is signed by a key that has expired or was withdrawn.")
    }
    guard has("GOODSIG"), has("VALIDSIG") else {
      if has("NO_PUBKEY") {
        throw ImageRefusal.unfit("\(what) is signed by a key that is not among those of --keyring.")
      }
      throw ImageRefusal.unfit("\(what) has no signature that could be checked.")
    }
    if let fingerprint {
      // The last word is the primary key's fingerprint, which differs from the first if a subkey has signed.
      let signers = status.filter { $0.first == "VALIDSIG" }.flatMap { [$0.dropFirst().first, $0.last] }
      guard signers.contains(fingerprint) else {
        throw ImageRefusal.unfit("\(what) is signed by another key than \(fingerprint).")
      }
    }
  }
}

/// Keys in ASCII armor, as publishers put them on the web. gpgv reads only binary keyrings.
enum ArmoredKeys {
  private static let begin = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
  private static let end = "-----END PGP PUBLIC KEY BLOCK-----"
  static let maximumBytes = 1 << 20

  /// Keys without ASCII armor are returned unchanged.
  static func binary(_ keys: [UInt8]) throws -> [UInt8] {
    let text = String(decoding: keys, as: UTF8.self)
    guard text.contains(begin) else { return keys }
    var result: [UInt8] = []
    var body: String?
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      let line = line.trimmingCharacters(in: .whitespaces)
      if line == begin {
        body = ""
      } else if line == end {
        guard let encoded = body, let data = Data(base64Encoded: encoded) else {
          throw ImageRefusal.unfit("The keys of --keyring cannot be read.")
        }
        result += data
        body = nil
      } else if !line.contains(":"), !line.hasPrefix("=") {
        body? += line
      }
    }
    return result
  }
}
