/// Who calls, as far as it is remembered and counted: what one of them asked for, and used up, is not another's.
package enum Principal: Hashable, Sendable, CustomStringConvertible {
  /// A program that bears a token of its account.
  case token(ID<Token>)
  /// A person who is signed in to the panel: a session is a token that a browser has.
  case session(ID<Token>)
  /// One that bears a token that was made for an operator, on the host.
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

  /// As it is stored: `token:7`.
  package var description: String { "\(kind.rawValue):\(tokenID)" }
}
