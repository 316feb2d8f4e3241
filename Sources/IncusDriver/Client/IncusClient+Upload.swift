import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

extension IncusClient {
  private static let pieceBytes = 256 << 10

  /// Sends a file as the body of a POST, in pieces, and returns the work that goes on with it.
  func upload(
    _ file: String, to path: IncusPath, within deadline: Duration, told progress: @escaping @Sendable (Int64) -> Void
  ) async throws -> IncusOperation? {
    let handle: FileHandle
    let size: UInt64
    do {
      handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
      size = try handle.seekToEnd()
      try handle.seek(toOffset: 0)
    } catch {
      throw IncusError.unreadable("\(file) cannot be read: \(error)".plainExcerpt)
    }
    let headers: HTTPHeaders = ["Content-Type": "application/octet-stream", "Content-Length": String(size)]
    let reply = try await converse(head(.POST, path, headers), within: .total(deadline), mostBytes: 1 << 20) {
      channel in
      Self.write(handle, from: 0, to: Int64(size), on: channel, told: progress)
    }
    try? handle.close()
    return try Self.operation(of: reply, path)
  }

  /// The next piece is read once the one before it is on its way.
  private static func write(
    _ file: FileHandle, from sent: Int64, to size: Int64, on channel: any Channel,
    told progress: @escaping @Sendable (Int64) -> Void
  ) -> EventLoopFuture<Void> {
    guard sent < size else { return channel.eventLoop.makeSucceededVoidFuture() }
    let piece = NIOThreadPool.singleton.runIfActive(eventLoop: channel.eventLoop) {
      guard let piece = try file.read(upToCount: pieceBytes), !piece.isEmpty else {
        throw IncusError.unreadable("the file became shorter")
      }
      return ByteBuffer(bytes: piece)
    }
    return piece.flatMap { piece in
      let reached = sent + Int64(piece.readableBytes)
      return channel.writeAndFlush(HTTPClientRequestPart.body(.byteBuffer(piece))).flatMap {
        progress(reached)
        return write(file, from: reached, to: size, on: channel, told: progress)
      }
    }
  }
}
