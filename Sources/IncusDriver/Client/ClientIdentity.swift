import COpenSSL
import Foundation
import NIOSSL

/// A certificate that signs itself, and its key: by these a server knows who asks. Both are made here, and kept in memory only.
struct ClientIdentity: Sendable {
  let certificate: NIOSSLCertificate
  let key: NIOSSLPrivateKey
  /// The certificate as a server is told it, in base64.
  let base64: String
  /// Its SHA-256 in lowercase hexadecimal, which is what a server calls it.
  let fingerprint: String

  private static let validityDays = 3650
  /// A server whose clock is behind takes it, too.
  private static let earlierDays = 2
  private static let daySeconds = 86_400
  private static let curve = NID_X9_62_prime256v1

  struct Unmade: Error {}

  /// - Parameter name: For people who look at the certificate: at most 64 bytes of ASCII.
  init(name: String) throws {
    guard let pair = Self.makeKey() else { throw Unmade() }
    defer { EVP_PKEY_free(pair) }
    let encoded = try Self.encoded(try Self.certificate(of: name, pair), i2d_X509, X509_free)
    certificate = try NIOSSLCertificate(bytes: encoded, format: .der)
    key = try NIOSSLPrivateKey(bytes: try Self.encoded(pair, i2d_PrivateKey, { _ in }), format: .der)
    base64 = Data(encoded).base64EncodedString()
    fingerprint = Self.fingerprint(of: encoded)
  }

  /// - Parameter encoded: A certificate in DER.
  static func fingerprint(of encoded: [UInt8]) -> String {
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    _ = COpenSSL.SHA256(encoded, encoded.count, &digest)
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  private static func makeKey() -> OpaquePointer? {
    guard let context = EVP_PKEY_CTX_new_id(NID_X9_62_id_ecPublicKey, nil) else { return nil }
    defer { EVP_PKEY_CTX_free(context) }
    var key: OpaquePointer?
    guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, curve) == 1,
      EVP_PKEY_keygen(context, &key) == 1
    else { return nil }
    return key
  }

  private static func certificate(of name: String, _ key: OpaquePointer) throws -> OpaquePointer {
    guard let made = X509_new() else { throw Unmade() }
    let subject = X509_get_subject_name(made)
    // The third version of X.509 is number 2.
    guard X509_set_version(made, 2) == 1,
      ASN1_INTEGER_set(X509_get_serialNumber(made), Int.random(in: 1...(1 << 62))) == 1,
      X509_gmtime_adj(X509_getm_notBefore(made), -earlierDays * daySeconds) != nil,
      X509_gmtime_adj(X509_getm_notAfter(made), validityDays * daySeconds) != nil,
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_FLAG | 1, name, Int32(name.utf8.count), -1, 0) == 1,
      X509_set_issuer_name(made, subject) == 1, X509_set_pubkey(made, key) == 1,
      X509_sign(made, key, EVP_sha256()) > 0
    else {
      X509_free(made)
      throw Unmade()
    }
    return made
  }

  /// In DER. The thing itself is let go of.
  private static func encoded(
    _ thing: OpaquePointer, _ encode: (OpaquePointer?, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32,
    _ free: (OpaquePointer?) -> Void
  ) throws -> [UInt8] {
    defer { free(thing) }
    let count = encode(thing, nil)
    guard count > 0 else { throw Unmade() }
    return [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, written in
      var place = buffer.baseAddress
      written = max(0, Int(encode(thing, &place)))
    }
  }
}
