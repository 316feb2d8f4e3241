import COpenSSL
package import Foundation

package enum SHA256 {
  package static func digest(_ bytes: some ContiguousBytes) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    bytes.withUnsafeBytes { input in
      _ = COpenSSL.SHA256(input.baseAddress?.assumingMemoryBound(to: UInt8.self), input.count, &digest)
    }
    return digest
  }

  package static func hexadecimal(_ bytes: some ContiguousBytes) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: digest(bytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
