package import Hummingbird
package import HummingbirdCore
package import NIOCore

extension APIService {
  private static let serverName = "vpsd"

  /// The listener of the service: the only way from a socket to its routes, for the program and for every test of it.
  ///
  /// - Parameters:
  ///   - spare: Those of the process.
  ///   - onServerRunning: Is called with the listening channel.
  package func listener(
    on address: BindAddress, limits: ConnectionLimits, spare: SpareDescriptors = SpareDescriptors(),
    onServerRunning: @escaping @Sendable (any Channel) async -> Void
  ) -> some ApplicationProtocol {
    let idle = IdleConnections(limit: limits.connections)
    return Application(
      router: router(), server: server(limits, among: idle),
      configuration: .init(
        address: address, serverName: Self.serverName,
        availableConnectionsDelegate: limits.connections > 0 ? ConnectionPlaces(idle: idle) : nil),
      onServerRunning: { [logger] channel in
        // Fails only for a listener that is already being closed.
        try? await channel.eventLoop.submit {
          try channel.pipeline.syncOperations.addHandler(AcceptPause(logger: logger, spare: spare), position: .first)
        }.get()
        await onServerRunning(channel)
      },
      logger: logger)
  }

  /// Serves consoles in addition to the router.
  private func server(_ limits: ConnectionLimits, among idle: IdleConnections) -> HTTPServerBuilder {
    let counts = ConnectionCounts()
    return HTTPServerBuilder { responder in
      ServiceChannel(
        http: HTTP1Channel(responder: responder, configuration: limits.http), door: consoleDoor,
        envelope: envelope, serverName: Self.serverName, limits: limits,
        proxies: trustedProxies, counts: counts, idle: idle, clock: clock, logger: logger)
    }
  }
}
