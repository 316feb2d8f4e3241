/// What something can be wrong in, by what it is, and not by what anybody calls it.
package enum Field: Hashable, Sendable {
  case name
  /// Whose something is to be.
  case account
  case plan
  case operatingSystem
  case location
  case hostname
  /// The one key of a server.
  case sshKey
  /// Any number of keys of a server.
  case sshKeys
  case publicKey
  case permissions
  case expiry
  /// The server that something is to be made of.
  case server
  case description
  case email
  case password
  case currentPassword
  /// Of a second factor.
  case code
  /// Of a span of time.
  case start
  case step
  case userData
  case amount
  case note
  case reason
  /// Of a server.
  case address
  /// What an address is called.
  case reverseName
}

/// The messages about one field.
package struct FieldError: Sendable, Equatable {
  package let field: Field
  package var messages: [String]

  package init(_ field: Field, _ messages: [String]) {
    self.field = field
    self.messages = messages
  }
}

/// Collects all that is wrong with a request, so that the customer learns of everything at once.
package struct FieldErrors: Sendable, Equatable {
  private var errors: [FieldError] = []

  package init() {}

  package mutating func add(_ field: Field, _ message: String) {
    if let index = errors.firstIndex(where: { $0.field == field }) {
      errors[index].messages.append(message)
    } else {
      errors.append(FieldError(field, [message]))
    }
  }

  package var messages: [String] { errors.flatMap(\.messages) }

  /// - Parameter isWhole: Whether everything could be read. Where it could not, this throws even if the rest is right: whoever
  ///   read it knows what to say of that.
  package func throwIfAny(orUnless isWhole: Bool = true) throws(Failure) {
    guard errors.isEmpty, isWhole else { throw .invalid(errors) }
  }
}

extension Failure {
  package static func invalid(_ errors: [FieldError]) -> Failure { Failure(.invalidFields(errors), "Invalid input.") }

  package static func invalid(_ field: Field, _ message: String) -> Failure {
    .invalid([FieldError(field, [message])])
  }
}
