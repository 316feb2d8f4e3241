/// What is wrong with a request as HTTP, before anyone asks what it means.
package enum Rejection: Error, Equatable {
  case credentialsEmpty
  case throttled(seconds: Int)
  case methodNotAllowed(method: String, allowed: [String])
  case notAcceptable
  case unsupportedMediaType(String)
  /// A body that is compressed.
  case unsupportedContentCoding
  case unknownExpectation
  case bodyTooLarge
  case bodyIncomplete
  case parseError(String)
  case notAnObject(typeName: String)
  case upgradeRequired
  case tooManyStreams(limit: Int)
}
