import Core
import Foundation
import NIOCore
import NIOPosix

/// Whether an SSH server greets us. A connection that is accepted proves nothing: the member accepts for a container that does not
/// listen yet, and closes again.
enum SSHGreeting {
  static func isSent(by address: IPv4Address, port: Int, within limit: Duration) async -> Bool {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let promise = loop.makePromise(of: Bool.self)
    let timeout = loop.scheduleTask(in: TimeAmount(limit)) { promise.succeed(false) }
    ClientBootstrap(group: loop).connectTimeout(TimeAmount(limit))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Listener(promise))
        }
      }
      .connect(host: address.description, port: port)
      .whenComplete { result in
        switch result {
        case .failure: promise.succeed(false)
        case .success(let channel): promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
        }
      }
    let isSent = (try? await promise.futureResult.get()) ?? false
    timeout.cancel()
    return isSent
  }

  private final class Listener: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private static let greeting = Array("SSH-".utf8)
    private let promise: EventLoopPromise<Bool>
    private var received: [UInt8] = []

    init(_ promise: EventLoopPromise<Bool>) {
      self.promise = promise
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      received += unwrapInboundIn(data).readableBytesView.prefix(Self.greeting.count)
      guard Self.greeting.starts(with: received.prefix(Self.greeting.count)) else { return promise.succeed(false) }
      if received.count >= Self.greeting.count { promise.succeed(true) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      promise.succeed(false)
      context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
      promise.succeed(false)
      context.fireChannelInactive()
    }
  }
}

/// What this host listens on, told by trying.
enum Listening {
  /// An address at the end of the loopback, which no server is given: another one each time, because other hosts try at the same moment.
  static var probe: IPv4Address { IPv4Address(number: 0x7FFF_0000 | UInt32.random(in: 1...0xFFFE)) }

  static func canBind(_ address: IPv4Address, ports: [Int]) async throws -> Bool {
    for port in ports {
      do {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
          .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
          .bind(host: address.description, port: port).get()
        try await channel.close()
      } catch let error as IOError where error.errnoCode == EADDRINUSE {
        return false
      } catch let error as IOError where error.errnoCode == EADDRNOTAVAIL || error.errnoCode == EACCES {
        // Not an address of this machine, or not a port for us: then nobody can tell.
        continue
      }
    }
    return true
  }
}
