import NIOCore
import NIOWebSocket

/// Checks that a client follows the rules for frames (RFC 6455, 5.4 and 7.4): the fragments of a message follow each
/// other, with only control frames between them, and a close frame has no status code, or one that a client may send.
struct FrameOrder {
  private var isInMessage = false

  mutating func admits(_ frame: WebSocketFrame) -> Bool {
    switch frame.opcode {
    case .binary, .text, .continuation:
      guard isInMessage == (frame.opcode == .continuation) else { return false }
      isInMessage = !frame.fin
      return true
    case .connectionClose: return Self.isReason(frame.unmaskedData)
    default: return true
    }
  }

  private static func isReason(_ data: ByteBuffer) -> Bool {
    guard data.readableBytes > 0 else { return true }
    var data = data
    guard let code = data.readInteger(as: UInt16.self) else { return false }
    let isCode = (1000...1003).contains(code) || (1007...1014).contains(code) || (3000...4999).contains(code)
    return isCode && String(validating: data.readableBytesView, as: UTF8.self) != nil
  }
}
