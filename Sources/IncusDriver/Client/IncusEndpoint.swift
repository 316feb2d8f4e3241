import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// Where the API of a server, or of a cluster, is.
package struct IncusEndpoint: Sendable {
  private enum Way: Sendable {
    case socket(path: String)
    case tls(host: String, port: Int, context: NIOSSLContext, pinned: NIOSSLCertificate)
  }

  /// A socket asks nobody who he is.
  struct HasNoIdentity: Error {}

  private let way: Way

  package static func socket(path: String) -> IncusEndpoint { IncusEndpoint(way: .socket(path: path)) }

  /// - Parameters:
  ///   - certificate: The path of our own certificate, which the server trusts; `key` that of its key.
  ///   - serverCertificate: The path of the server's, or the cluster's.
  package static func https(
    host: String, port: Int, certificate: String, key: String, serverCertificate: String
  ) throws -> IncusEndpoint {
    var settings = Self.settings
    settings.certificateChain = try reading("client_certificate", certificate) {
      try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) }
    }
    settings.privateKey = try reading("client_key", key) { .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)) }
    let pinned = try reading("server_certificate", serverCertificate) {
      try NIOSSLCertificate.fromPEMFile(serverCertificate)
    }
    guard let first = pinned.first else {
      throw UnusableFile(key: "server_certificate", path: serverCertificate, reason: "it holds no certificate")
    }
    let context = try reading("client_key", key) { try NIOSSLContext(configuration: settings) }
    return IncusEndpoint(way: .tls(host: host, port: port, context: context, pinned: first))
  }

  private static var settings: TLSConfiguration {
    var settings = TLSConfiguration.makeClientConfiguration()
    // It names no address and is signed by nobody: the certificate itself is compared, which is the stricter thing.
    settings.certificateVerification = .noHostnameVerification
    settings.minimumTLSVersion = .tlsv12
    return settings
  }

  /// The same place, asked as somebody else.
  func presenting(_ identity: ClientIdentity) throws -> IncusEndpoint {
    guard case .tls(let host, let port, _, let pinned) = way else { throw HasNoIdentity() }
    var settings = Self.settings
    settings.certificateChain = [.certificate(identity.certificate)]
    settings.privateKey = .privateKey(identity.key)
    let context = try NIOSSLContext(configuration: settings)
    return IncusEndpoint(way: .tls(host: host, port: port, context: context, pinned: pinned))
  }

  /// A file of the configuration that is not what it should be.
  package struct UnusableFile: Error, CustomStringConvertible {
    package let key: String
    package let path: String
    package let reason: String

    package var description: String { "\(key): \(path) cannot be used: \(reason)." }
  }

  private static func reading<Value>(_ key: String, _ path: String, _ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as UnusableFile {
      throw error
    } catch {
      throw UnusableFile(key: key, path: path, reason: "\(error)".plainExcerpt)
    }
  }

  /// Fails with `wrongCertificate` where another certificate is shown than the known one. Over TLS it succeeds once both ends know
  /// each other: what was not greeted was sent nothing.
  func connect(
    on loop: any EventLoop, within limit: TimeAmount, _ setUp: @escaping @Sendable (any Channel) throws -> Void
  ) -> EventLoopFuture<any Channel> {
    let bootstrap = ClientBootstrap(group: loop).connectTimeout(limit)
    switch way {
    case .socket(let path):
      return bootstrap.channelInitializer { channel in channel.eventLoop.makeCompletedFuture { try setUp(channel) } }
        .connect(unixDomainSocketPath: path)
    case .tls(let host, let port, let context, let pinned):
      let greeted = loop.makePromise(of: Void.self)
      let timeout = loop.scheduleTask(in: limit) {
        greeted.fail(IncusError.disconnected("nobody at \(host) port \(port) answered in time"))
      }
      let connected = bootstrap.channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let handler = try NIOSSLClientHandler(
            context: context, serverHostname: nil,
            customVerificationCallback: { chain, verdict in
              let isKnown = chain.first == pinned
              if !isKnown { greeted.fail(IncusError.wrongCertificate) }
              verdict.succeed(isKnown ? .certificateVerified : .failed)
            })
          try channel.pipeline.syncOperations.addHandler(handler)
          try channel.pipeline.syncOperations.addHandler(GreetingHandler(greeted))
          try setUp(channel)
        }
      }.connect(host: host, port: port)
      connected.whenFailure { greeted.fail(IncusError.disconnected("\($0)".plainExcerpt)) }
      greeted.futureResult.whenComplete { _ in timeout.cancel() }
      return greeted.futureResult.flatMap { connected }.flatMapErrorThrowing { error in
        connected.whenSuccess { $0.close(promise: nil) }
        throw error
      }
    }
  }
}

/// Tells when TLS is established, or that it will not be.
private final class GreetingHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let greeted: EventLoopPromise<Void>

  init(_ greeted: EventLoopPromise<Void>) {
    self.greeted = greeted
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .handshakeCompleted? = event as? TLSUserEvent { greeted.succeed() }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    greeted.fail(IncusError.disconnected("\(error)".plainExcerpt))
    context.fireErrorCaught(error)
  }

  func channelInactive(context: ChannelHandlerContext) {
    greeted.fail(IncusError.disconnected("it was closed before it was known"))
    context.fireChannelInactive()
  }
}
