import Core
import Foundation
import Synchronization

/// A bounded number of threads, each with a connection of its own: calls of libpq block, and the cooperative pool must not. The
/// threads end with this object, when their jobs are done.
final class ConnectionThreads: Sendable {
  private let line: Line

  /// - Parameter connect: Makes a connection, on the thread that is to have it.
  init(name: String, width: Int, connect: @escaping @Sendable () throws -> PostgreSQLConnection) {
    line = Line(name: name, width: width, connect: connect)
  }

  deinit { line.close() }

  func run<Value: Sendable>(_ body: @escaping @Sendable (Session) throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      add(
        run: { session in continuation.resume(with: Result { try body(session) }) },
        fail: { error in continuation.resume(throwing: error) })
    }
  }

  /// - Parameter fail: Called instead of `run` where the job cannot be carried out.
  func add(run: @escaping @Sendable (Session) -> Void, fail: @escaping @Sendable (any Error) -> Void) {
    line.add(Line.Job(run: run, fail: fail))
  }

  /// Returns once all connections are closed.
  func close() { line.close(waits: true) }

  /// The connection of one thread, made when it is first needed, and again when it is lost.
  final class Session {
    private let line: Line
    private var connection: PostgreSQLConnection?

    fileprivate init(_ line: Line) {
      self.line = line
    }

    /// If the server cannot be reached, all waiting jobs fail at once, and not one after the other.
    func connected() throws -> PostgreSQLConnection {
      if let connection, !connection.isLost { return connection }
      connection = nil
      do {
        let made = try line.connect()
        connection = made
        return made
      } catch {
        line.failWaiting(error)
        throw error
      }
    }

    func drop() { connection = nil }

    /// Repeats a body without effects after a conflict or a lost connection, three times at most.
    func repeating<Value>(_ body: (PostgreSQLConnection) throws -> Value) throws -> Value {
      var rest = 3
      while true {
        do {
          return try body(connected())
        } catch let error as PostgreSQLError where rest > 0 && (error.isConflict || isLost) {
          rest -= 1
        }
      }
    }

    /// False where no connection could be made: then another try would not help.
    private var isLost: Bool { connection?.isLost ?? false }
  }

  fileprivate final class Line: Sendable {
    struct Job: Sendable {
      let run: @Sendable (Session) -> Void
      let fail: @Sendable (any Error) -> Void
    }

    private struct State {
      var jobs: [Job] = []
      var threads = 0
      var idle = 0
      var isClosed = false
    }

    /// More than can be carried out before their clients are gone.
    private static let maximumJobs = 10_000

    private let name: String
    private let width: Int
    let connect: @Sendable () throws -> PostgreSQLConnection
    private let state = Mutex(State())
    private let wakeup = DispatchSemaphore(value: 0)
    private let end = DispatchGroup()

    init(name: String, width: Int, connect: @escaping @Sendable () throws -> PostgreSQLConnection) {
      self.name = name
      self.width = width
      self.connect = connect
    }

    func add(_ job: Job) {
      let (isTaken, needsThread) = state.withLock { state in
        guard !state.isClosed, state.jobs.count < Self.maximumJobs else { return (false, false) }
        state.jobs.append(job)
        let needsThread = state.idle < state.jobs.count && state.threads < width
        if needsThread { state.threads += 1 }
        return (true, needsThread)
      }
      guard isTaken else { return job.fail(StoreUnavailable("too many wait for the database, or it was let go of")) }
      if needsThread { startThread() }
      wakeup.signal()
    }

    func failWaiting(_ error: any Error) {
      let jobs = state.withLock { state in
        defer { state.jobs = [] }
        return state.jobs
      }
      for job in jobs { job.fail(error) }
    }

    func close(waits: Bool = false) {
      let threads = state.withLock { state in
        state.isClosed = true
        return state.threads
      }
      for _ in 0..<threads { wakeup.signal() }
      if waits { end.wait() }
    }

    private func startThread() {
      end.enter()
      let thread = Thread { [self] in
        let session = Session(self)
        while let job = nextJob() { job.run(session) }
        session.drop()
        end.leave()
      }
      thread.name = name
      thread.start()
    }

    /// Waits for the next job. Nil when there will be none any more.
    private func nextJob() -> Job? {
      state.withLock { $0.idle += 1 }
      defer { state.withLock { $0.idle -= 1 } }
      while true {
        wakeup.wait()
        let (job, isOver) = state.withLock { state in
          (state.jobs.isEmpty ? nil : state.jobs.removeFirst(), state.isClosed)
        }
        if let job { return job }
        if isOver { return nil }
      }
    }
  }
}
