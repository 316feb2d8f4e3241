import NIOCore
import NIOHTTP1

/// Rules that the head of every request must follow before anything acts on it.
///
/// A request that does not name exactly one host is refused (RFC 9112, 3.2): a proxy in front of the service might
/// choose another host than the service does. HTTP/1.0 may leave the host out. A request that offers another protocol
/// is answered in HTTP, and is the last one of its connection: NIO's decoder takes what follows for that protocol, and
/// reads no more.
///
/// Used on the event loop of its channel only, right behind NIO's decoder.
final class HeadRules: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart

  private static let longestHostBytes = 1024

  private var isOver = false

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isOver else { return }
    guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
    guard Self.namesItsHost(head) else {
      isOver = true
      return context.fireErrorCaught(HTTPParserError.invalidHeaderToken)
    }
    guard head.method == .CONNECT || head.headers.contains(name: "upgrade") else {
      return context.fireChannelRead(data)
    }
    head.headers.replaceOrAdd(name: "Connection", value: "close")
    context.fireChannelRead(wrapInboundOut(.head(head)))
  }

  private static func namesItsHost(_ head: HTTPRequestHead) -> Bool {
    let hosts = head.headers["host"]
    guard let host = hosts.first else { return (head.version.major, head.version.minor) < (1, 1) }
    return hosts.count == 1 && host.utf8.count <= longestHostBytes && host.utf8.allSatisfy(isOfHost)
  }

  /// Whether the byte may occur in the name or address of a host, or in its port (RFC 3986, 3.2.2), and does not
  /// separate two hosts.
  private static func isOfHost(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "-._~%:[]!$&'()*+;=".utf8.contains(byte)
    }
  }
}
