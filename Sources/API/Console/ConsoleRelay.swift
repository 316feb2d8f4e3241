import Core
import Engine
import NIOCore
import NIOPosix
import NIOWebSocket
import Synchronization

/// Relays bytes between a WebSocket and a machine's console until either side ends, or the session must end. It reads
/// from one side only as fast as the other one accepts.
struct ConsoleRelay: Sendable {
  enum End: String, Sendable {
    case machine = "the machine ended it"
    case client = "the client ended it"
    case notAllowed = "it is not allowed any more, or the service ends"
    case silent = "the client was not heard of any more"
    case idle = "nobody used it"
    case misused = "the client sent what is no console's"

    var code: WebSocketErrorCode {
      switch self {
      case .machine, .client: .normalClosure
      case .notAllowed, .silent, .idle: .goingAway
      case .misused: .protocolError
      }
    }
  }

  private typealias Frames = NIOAsyncChannelOutboundWriter<WebSocketFrame>
  private typealias Machine = NIOAsyncChannel<ByteBuffer, ByteBuffer>

  private static let pingInterval = Duration.seconds(30)
  /// The longest time without any frame of the client, counting its answers to pings.
  private static let longestSilence = Duration.seconds(90)
  /// The longest time without keyboard or pointer input.
  private static let longestIdleness = Duration.seconds(1800)
  private static let farewell = Duration.seconds(1)

  let session: ConsoleSession
  let consoles: Consoles
  let clock: any WallClock

  func run(over webSocket: ServiceChannel.WebSocket) async -> End {
    do {
      return try await webSocket.executeThenClose { fromClient, toClient in
        let end = await relay(webSocket.channel, fromClient, toClient)
        await sayGoodbye(end, toClient)
        return end
      }
    } catch {
      return .client
    }
  }

  private func relay(
    _ channel: any Channel, _ fromClient: NIOAsyncChannelInboundStream<WebSocketFrame>, _ toClient: Frames
  ) async -> End {
    do {
      guard let descriptor = session.connection.take() else { return .machine }
      let machine: Machine = try await ClientBootstrap(group: channel.eventLoop).withConnectedSocket(descriptor) {
        channel in
        channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel(wrappingChannelSynchronously: channel) }
      }
      return try await machine.executeThenClose { fromMachine, toMachine in
        let heard = Heard(at: clock.uptime)
        return await withTaskGroup(of: End.self) { group in
          group.addTask { await pass(fromMachine, to: toClient) }
          group.addTask { await pass(fromClient, to: toMachine, answeringTo: toClient, heard) }
          group.addTask { await watch(heard, channel, toClient) }
          group.addTask {
            await consoles.whenOver(session)
            return .notAllowed
          }
          let end = await group.next() ?? .machine
          group.cancelAll()
          return end
        }
      }
    } catch {
      return .machine
    }
  }

  private func pass(_ fromMachine: NIOAsyncChannelInboundStream<ByteBuffer>, to client: Frames) async -> End {
    do {
      for try await bytes in fromMachine {
        do {
          try await client.write(WebSocketFrame(fin: true, opcode: .binary, data: bytes))
        } catch {
          return .client
        }
      }
    } catch {}
    return .machine
  }

  private func pass(
    _ fromClient: NIOAsyncChannelInboundStream<WebSocketFrame>,
    to machine: NIOAsyncChannelOutboundWriter<ByteBuffer>, answeringTo client: Frames, _ heard: Heard
  ) async -> End {
    do {
      var order = FrameOrder()
      for try await frame in fromClient {
        guard order.admits(frame) else { return .misused }
        // A client must mask its frames, and no extension was negotiated that would give the reserved bits a meaning.
        guard frame.maskKey != nil, !frame.rsv1, !frame.rsv2, !frame.rsv3 else { return .misused }
        heard.note(frame, at: clock.uptime)
        switch frame.opcode {
        case .binary, .continuation:
          do { try await machine.write(frame.unmaskedData) } catch { return .machine }
        case .ping: try await client.write(WebSocketFrame(fin: true, opcode: .pong, data: frame.unmaskedData))
        case .pong: continue
        case .connectionClose: return .client
        default: return .misused
        }
      }
    } catch {}
    return .client
  }

  /// Sends pings, and returns when the client is silent or idle for too long. It never waits for a client that does not
  /// read.
  private func watch(_ heard: Heard, _ channel: any Channel, _ client: Frames) async -> End {
    while !Task.isCancelled {
      try? await clock.sleep(for: Self.pingInterval)
      let now = clock.uptime
      let (anything, input) = heard.times
      if now - anything >= Self.longestSilence { return .silent }
      if now - input >= Self.longestIdleness { return .idle }
      guard channel.isWritable else { continue }
      do { try await client.write(WebSocketFrame(fin: true, opcode: .ping, data: ByteBuffer())) } catch {
        return .client
      }
    }
    return .notAllowed
  }

  private func sayGoodbye(_ end: End, _ client: Frames) async {
    var data = ByteBuffer()
    data.write(webSocketErrorCode: end.code)
    let frame = WebSocketFrame(fin: true, opcode: .connectionClose, data: data)
    await withTaskGroup { group in
      group.addTask { try? await client.write(frame) }
      group.addTask { try? await Task.sleep(for: Self.farewell) }
      await group.next()
      group.cancelAll()
    }
  }
}

/// When the client last sent anything, and when it last sent keyboard or pointer input.
private final class Heard: Sendable {
  private let state: Mutex<(anything: Instant, input: Instant)>

  init(at now: Instant) {
    state = Mutex((now, now))
  }

  var times: (anything: Instant, input: Instant) { state.withLock { $0 } }

  func note(_ frame: WebSocketFrame, at now: Instant) {
    let isInput = frame.opcode == .binary && !Self.asksForPicture(frame.unmaskedData)
    state.withLock { state in
      state.anything = now
      if isInput { state.input = now }
    }
  }

  /// Viewers request the next picture even if nobody is there: message 3, which has ten bytes, in a frame of its own.
  private static func asksForPicture(_ data: ByteBuffer) -> Bool {
    data.readableBytes == 10 && data.readableBytesView.first == 3
  }
}
