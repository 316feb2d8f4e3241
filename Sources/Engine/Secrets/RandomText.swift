/// Texts that cannot be guessed, and that pass through URLs and headers as they are.
package enum RandomText {
  /// As many characters of the alphabet as carry 256 bits.
  static let length = 43

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  package static func make() -> String {
    var generator = SystemRandomNumberGenerator()
    let characters = (0..<length).map { _ in alphabet[Int(generator.next(upperBound: UInt64(alphabet.count)))] }
    return String(decoding: characters, as: UTF8.self)
  }

  package static func isPossible(_ text: some StringProtocol) -> Bool {
    text.utf8.count == length && text.utf8.allSatisfy { alphabet.contains($0) }
  }
}
