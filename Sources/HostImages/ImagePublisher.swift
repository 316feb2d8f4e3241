import Foundation

/// Fetches an image from its publisher, and verifies it by the publisher's checksums or signature.
struct ImagePublisher {
  let source: ImageSource
  let limits: ImageLimits
  let progress: (@Sendable (ImageAddition.Progress) -> Void)?

  private static let listBytes = Int64(ChecksumList.maximumBytes)

  /// What a partial download was begun for: it is continued only for the same URL and digest.
  private struct Purpose: Codable, Equatable {
    let url: String
    let digest: String?
  }

  /// Returns the digests that the file was verified against; none where the image itself is signed.
  func fetch(to file: String, in folder: WorkFolder) throws -> [Digest] {
    guard let url = source.url else { return [] }
    let deadline = ContinuousClock.now + limits.downloadTime
    let note = "\(folder.path)/purpose.json"
    let earlier = FileManager.default.contents(atPath: note).flatMap {
      try? JSONDecoder().decode(Purpose.self, from: $0)
    }
    try folder.clear(keepingDownload: earlier?.url == url)
    let wanted = try digest(deadline, in: folder)
    let purpose = Purpose(url: url, digest: wanted?.text)
    if earlier != purpose {
      try folder.clear(keepingDownload: false)
      try JSONEncoder().encode(purpose).write(to: URL(fileURLWithPath: note))
    }
    let path = "\(folder.workbench)/\(file)"
    // The bytes of an earlier attempt may belong to another file that had the same address, so a mismatch leads to one new
    // download.
    for isAnew in RegularFile.isThere(path) ? [false, true] : [true] {
      if isAnew { unlink(path) }
      var download = Download(url: url, maximumBytes: limits.sourceBytes, deadline: deadline, folder: folder)
      download.progress = { progress?(.downloading($0)) }
      try download.run(to: file)
      progress?(.checking)
      let bytes = try RegularFile.size(of: path)
      guard let wanted else {
        try requireSignature(of: file, bytes, deadline, in: folder)
        return []
      }
      let found = try folder.digest(wanted.algorithm, of: file, bytes: bytes)
      if found == wanted { return [wanted] }
      if isAnew {
        throw ImageRefusal.unfit("\(url) has the \(found.algorithm.name) \(found.text), and not \(wanted.text).")
      }
    }
    return []
  }

  /// The digest that the publisher lists now. Does not fetch the image.
  func listedDigest(in folder: WorkFolder) throws -> Digest? {
    try folder.clear(keepingDownload: true)
    return try digest(ContinuousClock.now + limits.downloadTime, in: folder)
  }

  /// The digest that the image must have; nil where only a signature of the image itself proves it.
  private func digest(_ deadline: ContinuousClock.Instant, in folder: WorkFolder) throws -> Digest? {
    if let sha256 = source.sha256 { return Digest(hexadecimal: sha256) }
    guard let list = source.checksums, let url = source.url else { return nil }
    let bytes = try trustedList(list, deadline, in: folder)
    let name = WebAddress.fileName(of: url)
    guard let digest = ChecksumList(String(decoding: bytes, as: UTF8.self)).digest(of: name) else {
      throw ImageRefusal.unfit("\(list) has no SHA-256 or SHA-512 of \(name).")
    }
    return digest
  }

  private func trustedList(_ list: String, _ deadline: ContinuousClock.Instant, in folder: WorkFolder) throws -> [UInt8]
  {
    let bytes = try small(list, to: "checksums", deadline, in: folder)
    guard source.keyring != nil else { return bytes }
    let check = try signatureCheck(of: list, deadline, in: folder)
    if source.signature == nil, SignatureCheck.isClearSigned(bytes) { return try check.signedText(in: "checksums") }
    guard let signature = source.signature else {
      throw ImageRefusal.unfit("\(list) has no signature in it: give --signature.")
    }
    _ = try small(signature, to: "signature", deadline, in: folder)
    try check.requireSignature("signature", of: "checksums", bytes: Int64(bytes.count))
    return bytes
  }

  private func requireSignature(
    of file: String, _ bytes: Int64, _ deadline: ContinuousClock.Instant, in folder: WorkFolder
  ) throws {
    guard let signature = source.signature, let url = source.url else {
      throw ImageRefusal.unfit("There is nothing that the image is held to.")
    }
    let check = try signatureCheck(of: url, deadline, in: folder)
    _ = try small(signature, to: "signature", deadline, in: folder)
    try check.requireSignature("signature", of: file, bytes: bytes)
  }

  private func signatureCheck(
    of what: String, _ deadline: ContinuousClock.Instant, in folder: WorkFolder
  ) throws -> SignatureCheck {
    let keyring = source.keyring ?? ""
    let keys: [UInt8]
    if keyring.contains("://") {
      keys = try small(keyring, to: "keys", deadline, in: folder)
    } else {
      guard RegularFile.isThere(keyring) else { throw ImageRefusal.notFound("There is no file \(keyring) with keys.") }
      keys = try RegularFile.bytes(of: keyring, atMost: ArmoredKeys.maximumBytes)
    }
    return try SignatureCheck(of: what, keys: keys, fingerprint: source.fingerprint, in: folder)
  }

  private func small(
    _ url: String, to file: String, _ deadline: ContinuousClock.Instant, in folder: WorkFolder
  ) throws -> [UInt8] {
    let path = "\(folder.workbench)/\(file)"
    unlink(path)
    let ownDeadline = min(deadline, ContinuousClock.now + limits.listTime)
    var download = Download(url: url, maximumBytes: Self.listBytes, deadline: ownDeadline, folder: folder)
    download.isGoneOnWith = false
    try download.run(to: file)
    return RegularFile.isThere(path) ? try RegularFile.bytes(of: path, atMost: Int(Self.listBytes)) : []
  }
}
