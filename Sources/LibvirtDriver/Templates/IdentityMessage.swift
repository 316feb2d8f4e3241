import Foundation

/// The message that turns a machine from a template into a server: see `take-identity` of the image.
struct IdentityMessage {
  /// The hardware address of its network card.
  let card: String
  /// The content of the disk from which a first boot reads its settings.
  let seed: [UInt8]
  /// Guests that know nothing of it make their own.
  let hostKey: HostKey
  /// Random bytes that no other machine gets.
  var entropy = (0..<64).map { _ in UInt8.random(in: .min ... .max) }

  /// - Parameter now: Since 1970. The guest's clock will be behind by the time that the message takes.
  func bytes(at now: Duration) -> [UInt8] {
    let (seconds, attoseconds) = now.components
    let nanoseconds = String(attoseconds / 1_000_000_000)
    let fraction = String(repeating: "0", count: 9 - nanoseconds.count) + nanoseconds
    let head = """
      clock \(seconds).\(fraction)
      entropy \(Self.hexadecimal(entropy))
      host-key \(Self.hexadecimal(hostKey.privateFile.utf8))
      host-key-public \(Self.hexadecimal(hostKey.publicPart.utf8))
      card \(card)
      seed \(seed.count)


      """
    return Array(head.utf8) + seed
  }

  private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0\(digits)" : digits
    }.joined()
  }

  /// The host's time of day.
  static var now: Duration {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}
