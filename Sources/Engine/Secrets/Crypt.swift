import CCrypt
import Core
import Foundation

/// crypt(3) of the system's libcrypt.
enum Crypt {
  /// - Parameter setting: The method with its cost and salt, or a whole hash, to check whether it is the hash of the text.
  static func hash(_ text: String, setting: String) throws(Failure) -> String {
    let storage = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
    defer { storage.deallocate() }
    UnsafeMutableRawPointer(storage).initializeMemory(
      as: UInt8.self, repeating: 0, count: MemoryLayout<crypt_data>.size)
    guard let result = crypt_r(text, setting, storage), result.pointee == CChar(bitPattern: UInt8(ascii: "$")) else {
      throw .internalError("crypt(3) does not know the method \(setting.prefix(3)).")
    }
    return String(cString: result)
  }

  /// A setting with the library's own cost and a random salt.
  ///
  /// - Parameter method: Such as `$y$`.
  static func setting(_ method: String) throws(Failure) -> String {
    var output = [CChar](repeating: 0, count: Int(CRYPT_GENSALT_OUTPUT_SIZE))
    guard crypt_gensalt_rn(method, 0, nil, 0, &output, CInt(output.count)) != nil else {
      throw .internalError("crypt(3) makes no salt for \(method).")
    }
    return String(decoding: output.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
