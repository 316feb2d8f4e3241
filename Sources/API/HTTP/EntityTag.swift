import Engine
import HTTPTypes
import Hummingbird
import NIOCore

/// A tag of the form `"state.answer"`. The *state* is a hash of what a customer can change, if there is anything:
/// `If-Match` compares only that, so that no other change gets in its way. The *answer* is a hash of the whole body:
/// only a client with the very same body gets 304.
enum EntityTag {
  private static let separator = UInt8(ascii: ".")
  private static let answerLength = 16

  /// The part that `If-Match` compares: the state, or the whole tag if it has none.
  static func state(of tag: some StringProtocol) -> Substring.UTF8View {
    let bare = Substring(tag).utf8.drop { $0 == UInt8(ascii: "\"") }
    return bare.prefix { $0 != separator && $0 != UInt8(ascii: "\"") }
  }

  /// Adds the tag to a response. A stream, whose length is not known, gets none.
  static func added(to response: Response) async throws -> Response {
    guard response.body.contentLength != nil else { return response }
    var response = response
    let answer = SHA256.hexadecimal(try await response.body.whole()).prefix(answerLength)
    let state = response.headers[.eTag].flatMap { String(Self.state(of: $0)) }
    response.headers[.eTag] = state.map { "\"\($0).\(answer)\"" } ?? "\"\(answer)\""
    return response
  }
}

extension ResponseBody {
  func whole() async throws -> ByteBufferView {
    let collector = Collector()
    try await write(collector)
    return collector.buffer.readableBytesView
  }

  func bytes() async throws -> [UInt8] { Array(try await whole()) }

  private final class Collector: ResponseBodyWriter {
    private(set) var buffer = ByteBuffer()

    func write(_ part: ByteBuffer) async throws {
      if buffer.readableBytes == 0 { buffer = part } else { buffer.writeImmutableBuffer(part) }
    }

    func finish(_ trailers: HTTPFields?) async throws {}
  }
}
