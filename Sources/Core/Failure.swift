/// What went wrong, told twice: a message that the customer may read, and a detail for the operator's log only.
package struct Failure: Error, Sendable {
  package enum Code: Sendable, Equatable {
    case credentialsMissing
    case credentialsInvalid
    case permissionDenied
    case notFound
    case invalidFields([FieldError])
    case invalidRequest
    case wrongState
    /// Another request is in the way of this one.
    case conflict
    /// The request contradicts an earlier one, or the configuration.
    case unprocessable
    /// The resource has changed since the customer last read it.
    case preconditionFailed
    case insufficientCredit
    case noCapacity
    /// Something that the request needs is not available now, but may be after this many seconds.
    case unavailable(retryAfterSeconds: Int)
    case internalError
  }

  package let code: Code
  package let message: String
  package let privateDetail: String?
  package let cause: (any Error)?

  package init(_ code: Code, _ message: String, privateDetail: String? = nil, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.privateDetail = privateDetail
    self.cause = cause
  }
}

extension Failure {
  package static let notFound = Failure(.notFound, "Not found.")
  package static let changedMeanwhile = Failure(
    .preconditionFailed, "The server was changed meanwhile. Read it again.")
  package static let firewallChangedMeanwhile = Failure(
    .preconditionFailed, "The firewall was changed meanwhile. Read it again.")
  package static let accountChangedMeanwhile = Failure(
    .preconditionFailed, "The account was changed meanwhile. Read it again.")
  package static let deleteProtected = Failure(.permissionDenied, "Server is protected from deletion.")
  package static let inRescue = Failure(.wrongState, "Server is in the rescue system. Leave it first.")
  package static let neverCreated = Failure(.wrongState, "Server could not be created.")
  package static let invalidPage = Failure(.notFound, "Invalid page.")
  package static let permissionDenied = Failure(
    .permissionDenied, "You do not have permission to perform this action.")
  package static let operatorsAreForTheHost = Failure(
    .permissionDenied, "This account is an operator's: it is changed on the host only, with vpsd account.")
  package static func accountClosed(_ id: ID<Account>) -> Failure {
    Failure(.wrongState, "The account \(id) is closed.")
  }
  package static let credentialsMissing = Failure(
    .credentialsMissing, "Authentication credentials were not provided.")
  /// - Parameter reason: What the operator says to the customer; may be empty.
  package static func accountSuspended(_ reason: String) -> Failure {
    Failure(
      .permissionDenied, reason.isEmpty ? "Your account is suspended." : "Your account is suspended: \(reason)")
  }
  package static let tokenInvalid = Failure(.credentialsInvalid, "Invalid token.")

  package static func internalError(_ detail: String, cause: (any Error)? = nil) -> Failure {
    Failure(.internalError, "Internal server error.", privateDetail: detail, cause: cause)
  }
}
