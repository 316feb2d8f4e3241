import COpenSSL
import Foundation

/// AES-256-GCM. What is sealed consists of nonce, ciphertext and tag. A key seals few texts, so random nonces do not repeat.
struct SealedBody {
  private static let nonceLength = 12
  private static let tagLength = 16

  /// 32 bytes.
  let key: [UInt8]

  /// Nil only where libcrypto refuses.
  func seal(_ text: [UInt8]) -> [UInt8]? {
    var nonce = [UInt8](repeating: 0, count: Self.nonceLength)
    var generator = SystemRandomNumberGenerator()
    for index in nonce.indices { nonce[index] = UInt8.random(in: .min ... .max, using: &generator) }
    var sealed = [UInt8](repeating: 0, count: text.count)
    var tag = [UInt8](repeating: 0, count: Self.tagLength)
    var written: Int32 = 0
    guard let context = EVP_CIPHER_CTX_new() else { return nil }
    defer { EVP_CIPHER_CTX_free(context) }
    guard EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1,
      EVP_EncryptUpdate(context, &sealed, &written, text, Int32(text.count)) == 1,
      EVP_EncryptFinal_ex(context, &tag, &written) == 1,
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagLength), &tag) == 1
    else { return nil }
    return nonce + sealed + tag
  }

  /// Nil for what was not sealed with this key, or was changed since.
  func open(_ sealed: [UInt8]) -> [UInt8]? {
    guard sealed.count >= Self.nonceLength + Self.tagLength else { return nil }
    let nonce = Array(sealed.prefix(Self.nonceLength))
    var tag = Array(sealed.suffix(Self.tagLength))
    let body = Array(sealed.dropFirst(Self.nonceLength).dropLast(Self.tagLength))
    var text = [UInt8](repeating: 0, count: body.count)
    var rest = [UInt8](repeating: 0, count: Self.tagLength)
    var written: Int32 = 0
    guard let context = EVP_CIPHER_CTX_new() else { return nil }
    defer { EVP_CIPHER_CTX_free(context) }
    guard EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1,
      EVP_DecryptUpdate(context, &text, &written, body, Int32(body.count)) == 1,
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagLength), &tag) == 1,
      EVP_DecryptFinal_ex(context, &rest, &written) == 1
    else { return nil }
    return text
  }
}
