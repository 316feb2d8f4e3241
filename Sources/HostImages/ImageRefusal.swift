/// Why there is no new image, in a sentence for its operator.
package struct ImageRefusal: Error, Sendable, CustomStringConvertible {
  package enum Kind: Sendable {
    /// It is not what it must be: another try ends in the same way.
    case unfit
    /// Nobody said what it is, or where.
    case notFound
    /// Another try may end well.
    case failed
    /// Another process is at it.
    case busy
  }

  package let kind: Kind
  package let description: String

  static func unfit(_ sentence: String) -> ImageRefusal { ImageRefusal(kind: .unfit, description: sentence) }
  static func notFound(_ sentence: String) -> ImageRefusal { ImageRefusal(kind: .notFound, description: sentence) }
  static func busy(_ sentence: String) -> ImageRefusal { ImageRefusal(kind: .busy, description: sentence) }
  static func failed(_ sentence: String) -> ImageRefusal { ImageRefusal(kind: .failed, description: sentence) }
}
