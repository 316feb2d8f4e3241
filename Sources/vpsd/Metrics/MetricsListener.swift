import Core
import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle

/// Serves `/metrics` at an address of its own: without a token, and not to clients of the API's address.
struct MetricsListener: Service {
  static let path = "/metrics"
  /// More than the programs that have a reason to ask.
  private static let mostConnections = 32

  let page: MetricsPage
  let address: ListenAddress
  let logger: Logger

  func run() async throws {
    do {
      try await application.run()
    } catch let error as IOError {
      throw CannotListen(
        address: address, key: ConfigurationKey.metricsListen, reason: String(cString: strerror(error.errnoCode)))
    } catch let error as SocketAddressError.UnknownHost {
      throw CannotListen(address: address, key: ConfigurationKey.metricsListen, reason: error.errorDescription)
    }
  }

  private var application: some ApplicationProtocol {
    let router = Router()
    router.get(RouterPath(Self.path)) { _, _ in
      Response(
        status: .ok, headers: [.contentType: MetricsText.mediaType],
        body: ResponseBody(byteBuffer: ByteBuffer(string: await page.text())))
    }
    return Application(
      router: router, server: .http1(configuration: .init(idleTimeout: .seconds(60))),
      configuration: .init(
        address: .hostname(address.host, port: address.port), serverName: "vpsd",
        availableConnectionsDelegate: .maximum(Self.mostConnections, logger: logger)),
      onServerRunning: { [address] channel in
        let port = channel.localAddress?.port ?? address.port
        Swift.print("Its metrics are at http://\(ListenAddress(host: address.host, port: port))\(Self.path)")
        fflush(nil)
      },
      logger: logger)
  }
}
