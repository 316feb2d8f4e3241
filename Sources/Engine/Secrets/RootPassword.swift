import Core

/// The root password of a server that was ordered without an SSH key.
struct RootPassword: Sendable {
  let text: String
  /// crypt(3), SHA-512: every Linux guest knows it.
  let hash: String

  /// The fewest rounds that the method allows. Rounds protect passwords that people think of; one of 56^20 random texts cannot
  /// be guessed at any speed, and more rounds would only make each create slower.
  private static let method = "$6$rounds=1000$"

  /// With this many characters and a password of twenty, each round hashes 111 bytes at most, which is one block of SHA-512;
  /// with more, most rounds take two.
  private static let saltLength = 7

  static func random() throws(Failure) -> RootPassword {
    // No letters or digits that look alike.
    let alphabet = Array("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789")
    let text = String((0..<20).map { _ in alphabet.randomElement()! })
    let salt = method + String((0..<saltLength).map { _ in alphabet.randomElement()! }) + "$"
    return RootPassword(text: text, hash: try Crypt.hash(text, setting: salt))
  }
}
