/// Why there is no new image, as a sentence for the operator.
package struct ImageRefusal: Error, Sendable, CustomStringConvertible {
  package enum Kind: Sendable {
    /// The source is not what it must be: another attempt would fail in the same way.
    case unfit
    /// There is no such file or image, or no known publisher.
    case notFound
    /// Another attempt may succeed.
    case failed
    /// Another process is working on it.
    case busy
  }

  package let kind: Kind
  package let description: String

  static func unfit(_ sentence: String) -> ImageRefusal { ImageRefusal(kind: .unfit, description: sentence) }
  static func notFound(_ sentence: String) -> ImageRefusal { ImageRefusal(kind: .notFound, description: sentence) }
  static func busy(_ sentence: String) -> ImageRefusal { ImageRefusal(kind: .busy, description: sentence) }
  static func failed(_ sentence: String) -> ImageRefusal { ImageRefusal(kind: .failed, description: sentence) }
}
