import Core
import Engine
import Hummingbird

/// A request of somebody who is signed in.
struct Visit: Sendable {
  let visitor: Visitor
  let caller: Caller
  /// The same without a claim: for what may be done once more, and is not what the form is about.
  let unclaimed: Caller
  let session: SessionText
  let account: Account
  /// Of all amounts.
  let currency: String
  /// What was sent with it; empty where it is no form.
  var form = Form()

  var words: Words { visitor.words }
  var query: Form { visitor.query }

  func id<Entity>(_ name: Substring = "id") throws(Failure) -> ID<Entity> { try visitor.id(name) }

  func amount(_ money: Money) -> String { words.amount(money, currency) }

  /// The same visit by a caller whose changes are made under a claim.
  func replacing(caller: Caller) -> Visit {
    var visit = Visit(
      visitor: visitor, caller: caller, unclaimed: unclaimed, session: session, account: account, currency: currency)
    visit.form = form
    return visit
  }
}
