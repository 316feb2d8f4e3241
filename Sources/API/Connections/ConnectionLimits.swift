import HummingbirdCore
import NIOCore
import NIOHTTP1

/// What one connection may take, and one address of them.
package struct ConnectionLimits: Sendable, Equatable {
  /// So many are open at once, and whoever comes then waits; 0 for as many as the system lets us have.
  package var connections = 1024
  /// An address may have so many at once; 0 for as many as there are.
  package var connectionsPerAddress = 256
  /// In this time a new connection must have sent the whole head of its first request.
  package var firstRequest = Duration.seconds(10)
  /// A connection on which nobody asks anything, and one whose next request takes longer to begin, is closed.
  package var idle = Duration.seconds(60)
  /// The body of a request must come, and a client must take some of its reply, within this time.
  package var transfer = Duration.seconds(60)

  /// All headers of a request together; one alone may have half of it.
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
