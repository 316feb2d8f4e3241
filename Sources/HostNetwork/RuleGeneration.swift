import Foundation

/// A number that the kernel increments with each transaction of nftables, by whatever program. While it is unchanged, so are
/// all packet filters of this host.
struct RuleGeneration: Equatable, Sendable {
  private let number: UInt32

  /// The number after the next transaction.
  var next: RuleGeneration { RuleGeneration(number: number == .max ? 1 : number + 1) }

  private init(number: UInt32) {
    self.number = number
  }

  /// Nil where the kernel does not tell.
  static var current: RuleGeneration? {
    // NFT_MSG_GETGEN, answered by NFT_MSG_NEWGEN with NFTA_GEN_ID as the first of its attributes.
    guard let answer = FilterQuestion(kind: 16).answer(), answer.isOfTables, answer.kind == 15 else { return nil }
    let attribute = Array(answer.attributes.prefix(8))
    guard attribute.count == 8, attribute[2] == 1 else { return nil }
    return RuleGeneration(number: attribute[4...].reduce(0) { $0 << 8 | UInt32($1) })
  }
}
