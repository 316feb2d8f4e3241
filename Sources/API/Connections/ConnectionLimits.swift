import HummingbirdCore
import NIOCore
import NIOHTTP1

/// Limits of a connection, and of the connections of one address.
package struct ConnectionLimits: Sendable, Equatable {
  /// How many connections may be open at once; further clients wait to be accepted. 0 for as many as the system allows.
  package var connections = 1024
  /// How many connections an address may have at once; 0 for no limit.
  package var connectionsPerAddress = 256
  /// A new connection must send the whole head of its first request within this time.
  package var firstRequest = Duration.seconds(10)
  /// A connection is closed if no request begins on it for this long.
  package var idle = Duration.seconds(60)
  /// The body of a request must arrive within this time, and a client must take at least a part of its reply.
  package var transfer = Duration.seconds(60)

  /// For all headers of a request together; a single one may have half of it.
  package var headerBytes = 32_768

  private static let headerFields = 100

  package init() {}

  /// For the requests of the API.
  var http: HTTP1Channel.Configuration {
    HTTP1Channel.Configuration(
      additionalChannelHandlers: [TransferDeadline(.init(transfer))], idleTimeout: .init(idle),
      httpDecoderConfiguration: .init(
        maxHeaderFieldSize: headerBytes / 2, maxHeaderListSize: headerBytes, maxHeaderFieldCount: Self.headerFields))
  }

  /// The same for the one request that opens a console.
  var consoleHead: NIOHTTPDecoderLimitConfiguration {
    var configuration = NIOHTTPDecoderLimitConfiguration()
    configuration.maxHeaderFieldSize = headerBytes / 2
    configuration.maxHeaderListSize = headerBytes
    configuration.maxHeaderFieldCount = Self.headerFields
    return configuration
  }
}
