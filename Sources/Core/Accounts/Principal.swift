/// Who calls, as far as it is remembered and counted: what one of them asked for, and used up, is not another's.
package enum Principal: Hashable, Sendable, CustomStringConvertible {
  case token(ID<Token>)

  package enum Kind: String, Sendable {
    case token
  }

  package var kind: Kind {
    switch self {
    case .token: .token
    }
  }

  /// As it is stored: `token:7`.
  package var description: String {
    switch self {
    case .token(let id): "\(kind.rawValue):\(id)"
    }
  }
}
