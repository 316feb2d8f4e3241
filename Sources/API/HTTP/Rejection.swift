/// What is wrong with a request on the level of HTTP, before its meaning is looked at.
package enum Rejection: Error, Equatable {
  case credentialsEmpty
  case throttled(seconds: Int)
  case methodNotAllowed(method: String, allowed: [String])
  case notAcceptable
  case unsupportedMediaType(String)
  /// The body is compressed.
  case unsupportedContentCoding
  case unknownExpectation
  case bodyTooLarge
  case bodyIncomplete
  case parseError(String)
  case notAnObject(typeName: String)
  case upgradeRequired
  case tooManyStreams(limit: Int)
}
