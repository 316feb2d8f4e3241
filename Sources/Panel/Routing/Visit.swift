import Core
import Engine
import Hummingbird

/// A request of somebody who is signed in.
struct Visit: Sendable {
  let visitor: Visitor
  let caller: Caller
  let session: SessionText
  let profile: Profiles.Profile
  /// What was sent with it; empty where it is no form.
  var form = Form()

  var words: Words { visitor.words }
  var query: Form { visitor.query }

  func id<Entity>(_ name: Substring = "id") throws(Failure) -> ID<Entity> { try visitor.id(name) }

  func amount(_ money: Money) -> String { words.amount(money, profile.currency) }

  /// The same visit by a caller whose changes are made under a claim.
  func replacing(caller: Caller) -> Visit {
    var visit = Visit(visitor: visitor, caller: caller, session: session, profile: profile)
    visit.form = form
    return visit
  }
}
