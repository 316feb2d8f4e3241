/// The identity of a caller. Each idempotency key belongs to one principal, and rate limits count each kind of
/// principal separately.
package enum Principal: Hashable, Sendable, CustomStringConvertible {
  /// A program that bears a token of its account.
  case token(ID<Token>)
  /// A person who is signed in to the panel: a session is a token that a browser has.
  case session(ID<Token>)
  /// A program that bears an operator's token, which is made on the host.
  case `operator`(ID<Token>)

  package enum Kind: String, Sendable {
    case token
    case session
    case `operator`
  }

  package init(_ token: Token) {
    self = token.isForOperators ? .operator(token.id) : token.isSession ? .session(token.id) : .token(token.id)
  }

  package var kind: Kind {
    switch self {
    case .token: .token
    case .session: .session
    case .operator: .operator
    }
  }

  package var tokenID: ID<Token> {
    switch self {
    case .token(let id), .session(let id), .operator(let id): id
    }
  }

  /// The stored form: `token:7`.
  package var description: String { "\(kind.rawValue):\(tokenID)" }
}
