import CZlib
package import HTTPTypes
package import Hummingbird
package import NIOCore

/// Bodies as gzip has them (RFC 1952), for clients that take it.
///
/// What is compressed tells by its length what repeats in it. So it is for pages in which no secret stays the same while others
/// choose what stands beside it: see `SessionText.formProof`.
enum Gzip {
  /// The fastest of zlib's levels, which leaves a tenth of a page; the slowest leaves a twelfth for five times the work.
  private static let level: Int32 = 1
  /// What fits into one packet is not made smaller.
  private static let leastBytes = 1400
  private static let longestHeaderBytes = 1000
  /// 15 bits of window, and 16 for the format of gzip instead of zlib's own.
  private static let windowBits: Int32 = 15 + 16

  static func isTaken(by request: Request) -> Bool {
    guard let header = request.headers[.acceptEncoding], header.utf8.count <= longestHeaderBytes else { return false }
    return header.lowercased().listElements.contains { coding in
      let parts = coding.utf8.split(separator: UInt8(ascii: ";")).map(\.withoutSpace)
      // A weight of nothing, however many digits it has, is a no.
      return parts.first == "gzip"
        && !parts.dropFirst().contains {
          $0.hasPrefix("q=0") && $0.utf8.dropFirst(3).allSatisfy { ".0".utf8.contains($0) }
        }
    }
  }

  /// Nil where it is not worth it.
  static func compressed(_ body: ByteBuffer) -> ByteBuffer? {
    guard body.readableBytes >= leastBytes else { return nil }
    var stream = z_stream()
    guard
      deflateInit2_(
        &stream, level, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        == Z_OK
    else { return nil }
    defer { deflateEnd(&stream) }
    var output = ByteBuffer()
    let isWhole = body.withUnsafeReadableBytes { input in
      stream.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
      stream.avail_in = UInt32(input.count)
      let bound = Int(deflateBound(&stream, UInt(input.count)))
      output.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { room in
        stream.next_out = room.bindMemory(to: UInt8.self).baseAddress
        stream.avail_out = UInt32(bound)
        return deflate(&stream, Z_FINISH) == Z_STREAM_END ? Int(stream.total_out) : 0
      }
      return stream.total_out > 0 && stream.avail_in == 0
    }
    return isWhole && output.readableBytes > 0 ? output : nil
  }
}

extension Response {
  /// The same, as the client takes it: for bodies that are there as a whole.
  package func compressed(for request: Request) async throws -> Response {
    var response = self
    response.headers[.vary] = headers[.vary].map { $0 + ", Accept-Encoding" } ?? "Accept-Encoding"
    guard Gzip.isTaken(by: request) else { return response }
    let whole = WholeBody()
    try await body.write(whole)
    guard let smaller = Gzip.compressed(whole.buffer) else {
      response.body = ResponseBody(byteBuffer: whole.buffer)
      return response
    }
    response.body = ResponseBody(byteBuffer: smaller)
    response.headers[.contentEncoding] = "gzip"
    return response
  }
}

/// What a body is written into.
package final class WholeBody: ResponseBodyWriter {
  package private(set) var buffer = ByteBuffer()

  package init() {}

  package func write(_ part: ByteBuffer) async throws { buffer.writeImmutableBuffer(part) }
  package func finish(_ trailers: HTTPFields?) async throws {}
}
