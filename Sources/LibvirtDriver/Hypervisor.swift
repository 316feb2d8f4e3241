import Core
import Foundation
import HostPrograms
import Logging
import Synchronization

/// The connection to libvirtd, which repairs itself: a daemon that died is started again, and one that hangs is replaced.
///
/// One connection watches the daemon for events; calls use others, each for one call at a time. A new watch counts as an event
/// for all listeners, because events may have been lost before it.
final class Hypervisor: Sendable {
  private struct State {
    var watch: Connection?
    var generation = 0
    var opening: Task<Void, any Error>?
    var idle: [Connection] = []
    var isClosed = false
    var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
    var nextListener = 0
  }

  let daemon: any Libvirtd
  private let threads: BlockingThreads
  private let logger: Logger
  private let state = Mutex(State())

  private static let openLimit: Duration = .seconds(10)
  private static let idleLimit = 8

  init(daemon: any Libvirtd, threads: BlockingThreads, logger: Logger) {
    self.daemon = daemon
    self.threads = threads
    self.logger = logger
  }

  /// Runs a blocking body with a connection of its own, and once more with a new one if that connection breaks. So the body
  /// must be safe to repeat.
  func perform<Value: Sendable>(
    _ what: String, within limit: Duration = .seconds(60), on threads: BlockingThreads? = nil,
    _ body: @escaping @Sendable (Connection) throws -> Value
  ) async throws -> Value {
    try await ensureWatching()
    return try await (threads ?? self.threads).run(what, within: limit) { [self] in
      let connection = try idleConnection() ?? newConnection()
      defer { giveBack(connection) }
      do {
        return try body(connection)
      } catch let error as LibvirtError where !connection.isAlive {
        logger.info("a connection to libvirtd broke", metadata: ["error": "\(error)"])
        let renewed = try newConnection()
        defer { giveBack(renewed) }
        return try body(renewed)
      }
    }
  }

  private func newConnection() throws -> Connection {
    guard state.withLock({ !$0.isClosed }) else { throw DriverError(.unreachable, "the driver is closed") }
    try daemon.ensureRunning()
    return try Connection(uri: daemon.uri)
  }

  private func idleConnection() -> Connection? {
    state.withLock { state in
      while let connection = state.idle.popLast() {
        if connection.isAlive { return connection }
      }
      return nil
    }
  }

  private func giveBack(_ connection: Connection) {
    guard connection.isAlive else { return }
    state.withLock { state in
      if !state.isClosed, state.idle.count < Self.idleLimit { state.idle.append(connection) }
    }
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
    Task {
      await recover()
      await learnCapabilities()
    }
    return stream
  }

  /// A new daemon asks QEMU what it can do before it defines the first machine, which takes seconds. Asking for it here, when a
  /// listener for events comes, spares the first customer that wait: only a service listens, and it will define machines.
  private func learnCapabilities() async {
    do {
      _ = try await perform("learn what QEMU can do") { try $0.capabilities() }
    } catch {
      logger.debug("libvirtd does not tell what QEMU can do", metadata: ["error": "\(error)"])
    }
  }

  /// Closes all connections and ends all event streams. Machines and daemon keep running.
  func close() {
    let listeners = state.withLock { state in
      state.isClosed = true
      state.watch = nil
      state.idle = []
      defer { state.listeners = [:] }
      return Array(state.listeners.values)
    }
    for listener in listeners { listener.finish() }
  }

  private func hint() {
    for listener in state.withLock({ Array($0.listeners.values) }) { listener.yield() }
  }

  // MARK: - Watching

  private func ensureWatching() async throws {
    let task: Task<Void, any Error>? = try state.withLock { state in
      if state.isClosed { throw DriverError(.unreachable, "the driver is closed") }
      if state.watch != nil { return nil }
      if let opening = state.opening { return opening }
      state.generation += 1
      let generation = state.generation
      let opening = Task { try await self.open(generation) }
      state.opening = opening
      return opening
    }
    try await task?.value
  }

  private func open(_ generation: Int) async throws {
    defer { state.withLock { $0.opening = nil } }
    let watch: Connection
    do {
      watch = try await attempt(generation)
    } catch {
      // The daemon accepts connections but does not answer, or answers with an error. Machines survive its end.
      logger.warning(
        "libvirtd does not answer", metadata: ["error": "\(error)", "log": "\(daemon.lastWords)"])
      try await threads.run("stop libvirtd", within: Self.openLimit) { [daemon] in daemon.kill() }
      watch = try await attempt(generation)
    }
    state.withLock { state in
      if !state.isClosed { state.watch = watch }
    }
    // It may have closed before `state` held it.
    if !watch.isAlive { watchEnded(generation) }
    hint()
  }

  private func attempt(_ generation: Int) async throws -> Connection {
    try await threads.run("start libvirtd", within: .seconds(60)) { [daemon] in try daemon.ensureRunning() }
    return try await threads.run("connect to libvirtd", within: Self.openLimit) { [daemon] in
      let connection = try Connection(uri: daemon.uri)
      try connection.watch(
        onEvent: { [weak self] in self?.hint() }, onClose: { [weak self] in self?.watchEnded(generation) })
      return connection
    }
  }

  private func watchEnded(_ generation: Int) {
    let ended = state.withLock { state -> Connection? in
      guard state.generation == generation else { return nil }
      defer { state.watch = nil }
      return state.watch
    }
    if ended != nil { Task { await recover() } }
  }

  /// Retries with backoff until there is a watch or the driver is closed.
  private func recover() async {
    var pause: Duration = .milliseconds(100)
    while state.withLock({ !$0.isClosed && $0.watch == nil }) {
      do {
        try await ensureWatching()
      } catch {
        logger.warning("no connection to libvirtd", metadata: ["error": "\(error)"])
        try? await Task.sleep(for: pause)
        pause = min(pause * 2, .seconds(10))
      }
    }
  }
}
