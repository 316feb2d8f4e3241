/// The part of a request that an error is about, independent of its name on the wire.
package enum Field: Hashable, Sendable {
  case name
  /// The account that something is to belong to.
  case account
  case plan
  case operatingSystem
  case location
  case hostname
  /// The single SSH key of a server.
  case sshKey
  /// The list of SSH keys of a server.
  case sshKeys
  case publicKey
  case permissions
  case expiry
  /// The server that a copy is to be made of.
  case server
  case description
  case email
  case password
  case currentPassword
  /// The code of a second factor.
  case code
  /// The start of a time span.
  case start
  case step
  case userData
  case amount
  case note
  case reason
  /// An address of a server.
  case address
  /// The reverse DNS name of an address.
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

/// Collects everything that is wrong with a request, so that the customer learns of it all at once.
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

  /// - Parameter isWhole: Whether every field could be read. If not, this throws even without an error here: the code
  ///   that read the request adds the errors of those fields.
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
