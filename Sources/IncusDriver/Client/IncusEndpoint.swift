import NIOCore
import NIOPosix
import NIOSSL

/// Where the API of a server, or of a cluster, is.
package struct IncusEndpoint: Sendable {
  private enum Way: Sendable {
    case socket(path: String)
    case tls(host: String, port: Int, context: NIOSSLContext, pinned: NIOSSLCertificate)
  }

  private let way: Way

  package static func socket(path: String) -> IncusEndpoint { IncusEndpoint(way: .socket(path: path)) }

  /// - Parameters:
  ///   - certificate: The path of our own certificate, which the server trusts; `key` that of its key.
  ///   - serverCertificate: The path of the server's, or the cluster's.
  package static func https(
    host: String, port: Int, certificate: String, key: String, serverCertificate: String
  ) throws -> IncusEndpoint {
    var settings = TLSConfiguration.makeClientConfiguration()
    // It names no address and is signed by nobody: the certificate itself is compared, which is the stricter thing.
    settings.certificateVerification = .noHostnameVerification
    settings.minimumTLSVersion = .tlsv12
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

  /// - Parameter mismatch: Is told when another certificate is shown than the known one, before the connection fails.
  func connect(
    on loop: any EventLoop, within limit: TimeAmount, mismatch: @escaping @Sendable () -> Void,
    _ setUp: @escaping @Sendable (any Channel) throws -> Void
  ) -> EventLoopFuture<any Channel> {
    let bootstrap = ClientBootstrap(group: loop).connectTimeout(limit)
    switch way {
    case .socket(let path):
      return bootstrap.channelInitializer { channel in channel.eventLoop.makeCompletedFuture { try setUp(channel) } }
        .connect(unixDomainSocketPath: path)
    case .tls(let host, let port, let context, let pinned):
      return bootstrap.channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let handler = try NIOSSLClientHandler(
            context: context, serverHostname: nil,
            customVerificationCallback: { chain, verdict in
              let isKnown = chain.first == pinned
              if !isKnown { mismatch() }
              verdict.succeed(isKnown ? .certificateVerified : .failed)
            })
          try channel.pipeline.syncOperations.addHandler(handler)
          try setUp(channel)
        }
      }.connect(host: host, port: port)
    }
  }
}
