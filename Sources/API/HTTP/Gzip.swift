import CZlib
package import HTTPTypes
package import Hummingbird
package import NIOCore

/// Compresses bodies with gzip (RFC 1952), for clients that accept it.
///
/// The length of a compressed body reveals what repeats in it. So it may be used only for pages in which no secret
/// stays the same while others choose the text around it: see `SessionText.formProof`.
enum Gzip {
  /// The fastest level of zlib, which reduces a page to a tenth; the slowest one reduces it to a twelfth, for five
  /// times the work.
  private static let level: Int32 = 1
  /// A body that fits into one packet is not compressed.
  private static let leastBytes = 1400
  private static let longestHeaderBytes = 1000
  /// 15 bits of window, and 16 to select the format of gzip instead of zlib's own.
  private static let windowBits: Int32 = 15 + 16

  static func isTaken(by request: Request) -> Bool {
    guard let header = request.headers[.acceptEncoding], header.utf8.count <= longestHeaderBytes else { return false }
    return header.lowercased().listElements.contains { coding in
      let parts = coding.utf8.split(separator: UInt8(ascii: ";")).map(\.withoutSpace)
      // A weight of zero, with any number of digits, means no.
      return parts.first == "gzip"
        && !parts.dropFirst().contains {
          $0.hasPrefix("q=0") && $0.utf8.dropFirst(3).allSatisfy { ".0".utf8.contains($0) }
        }
    }
  }

  /// Nil if compression is not worthwhile.
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
  /// The response, compressed if the client accepts that. Only for complete bodies, not for streams.
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

/// Collects a whole body.
package final class WholeBody: ResponseBodyWriter {
  package private(set) var buffer = ByteBuffer()

  package init() {}

  package func write(_ part: ByteBuffer) async throws { buffer.writeImmutableBuffer(part) }
  package func finish(_ trailers: HTTPFields?) async throws {}
}
