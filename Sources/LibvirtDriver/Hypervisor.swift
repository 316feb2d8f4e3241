import Core
import Foundation
import Logging
import Synchronization

/// The connection to libvirtd that mends itself: a daemon that died is started again, and one that hangs is replaced.
/// Whoever listens for events learns of each new connection as of an event, because events may have been lost meanwhile.
final class Hypervisor: Sendable {
  private struct State {
    var connection: Connection?
    var generation = 0
    var opening: Task<Connection, any Error>?
    var isClosed = false
    var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
    var nextListener = 0
  }

  let daemon: PrivateLibvirtd
  private let threads: BlockingThreads
  private let logger: Logger
  private let state = Mutex(State())

  private static let openLimit: Duration = .seconds(20)

  init(daemon: PrivateLibvirtd, threads: BlockingThreads, logger: Logger) {
    self.daemon = daemon
    self.threads = threads
    self.logger = logger
  }

  /// Runs a blocking body with the connection, and once more with a new one if the connection broke under it: what is done
  /// here is safe to repeat.
  func perform<Value: Sendable>(
    _ what: String, within limit: Duration = .seconds(60), on threads: BlockingThreads? = nil,
    _ body: @escaping @Sendable (Connection) throws -> Value
  ) async throws -> Value {
    let threads = threads ?? self.threads
    let connection = try await self.connection()
    do {
      return try await threads.run(what, within: limit) { try body(connection) }
    } catch let error as LibvirtError where !connection.isAlive {
      logger.info("the connection to libvirtd broke", metadata: ["error": "\(error)"])
      forget(connection)
    }
    let renewed = try await self.connection()
    return try await threads.run(what, within: limit) { try body(renewed) }
  }

  func events() -> AsyncStream<Void> {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let number = state.withLock { state in
      state.nextListener += 1
      state.listeners[state.nextListener] = continuation
      return state.nextListener
    }
    continuation.onTermination = { [weak self] _ in
      _ = self?.state.withLock { $0.listeners.removeValue(forKey: number) }
    }
    Task { await recover() }
    return stream
  }

  /// Lets go of the connection, and ends all streams of events. Machines and daemon go on.
  func close() {
    let listeners = state.withLock { state in
      state.isClosed = true
      state.connection = nil
      defer { state.listeners = [:] }
      return Array(state.listeners.values)
    }
    for listener in listeners { listener.finish() }
  }

  private func hint() {
    for listener in state.withLock({ Array($0.listeners.values) }) { listener.yield() }
  }

  // MARK: - Opening

  private func connection() async throws -> Connection {
    if let connection = state.withLock({ $0.connection }) { return connection }
    let task: Task<Connection, any Error> = try state.withLock { state in
      if state.isClosed { throw DriverError(.unreachable, "the driver is closed") }
      if let opening = state.opening { return opening }
      state.generation += 1
      let generation = state.generation
      let opening = Task { try await self.open(generation) }
      state.opening = opening
      return opening
    }
    return try await task.value
  }

  private func open(_ generation: Int) async throws -> Connection {
    do {
      let connection: Connection
      do {
        connection = try await attempt(generation)
      } catch {
        // It accepts and does not answer, or answers with an error: machines survive the end of their daemon.
        logger.warning(
          "libvirtd does not answer", metadata: ["error": "\(error)", "log": "\(daemon.lastWords)"])
        try await threads.run("stop libvirtd", within: Self.openLimit) { [daemon] in daemon.kill() }
        connection = try await attempt(generation)
      }
      state.withLock { state in
        state.opening = nil
        if !state.isClosed { state.connection = connection }
      }
      // It may have closed before anybody knew it.
      if !connection.isAlive { connectionClosed(generation) }
      hint()
      return connection
    } catch {
      state.withLock { $0.opening = nil }
      throw error
    }
  }

  private func attempt(_ generation: Int) async throws -> Connection {
    try await threads.run("start libvirtd", within: .seconds(60)) { [daemon] in try daemon.ensureRunning() }
    return try await threads.run("connect to libvirtd", within: Self.openLimit) { [daemon] in
      try Connection(
        uri: daemon.uri, keepsAlive: true, onEvent: { [weak self] in self?.hint() },
        onClose: { [weak self] in self?.connectionClosed(generation) })
    }
  }

  private func connectionClosed(_ generation: Int) {
    let isCurrent = state.withLock { state in
      guard state.generation == generation, state.connection != nil else { return false }
      state.connection = nil
      return true
    }
    if isCurrent { Task { await recover() } }
  }

  private func forget(_ connection: Connection) {
    state.withLock { state in
      if state.connection === connection { state.connection = nil }
    }
    Task { await recover() }
  }

  /// Tries until there is a connection, or nobody wants one.
  private func recover() async {
    var pause: Duration = .milliseconds(100)
    while state.withLock({ !$0.isClosed && $0.connection == nil && !$0.listeners.isEmpty }) {
      do {
        _ = try await connection()
      } catch {
        logger.warning("no connection to libvirtd", metadata: ["error": "\(error)"])
        try? await Task.sleep(for: pause)
        pause = min(pause * 2, .seconds(10))
      }
    }
  }
}
