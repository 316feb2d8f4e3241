import Core
import Engine
import Hummingbird

/// A request of a person who is signed in.
struct Visit: Sendable {
  let visitor: Visitor
  let caller: Caller
  /// The caller without an idempotency claim, for a secondary action that may be repeated.
  let unclaimed: Caller
  let session: SessionText
  let account: Account
  /// The currency of all amounts.
  let currency: String
  /// The form that was sent; empty where there was none.
  var form = Form()

  var words: Words { visitor.words }
  var query: Form { visitor.query }

  func id<Entity>(_ name: Substring = "id") throws(Failure) -> ID<Entity> { try visitor.id(name) }

  func amount(_ money: Money) -> String { words.amount(money, currency) }

  /// The same visit by a caller whose changes are made under an idempotency claim.
  func replacing(caller: Caller) -> Visit {
    var visit = Visit(
      visitor: visitor, caller: caller, unclaimed: unclaimed, session: session, account: account, currency: currency)
    visit.form = form
    return visit
  }
}
