import CPostgreSQL
import Foundation

/// A connection to a PostgreSQL server, for the thread that made it. Every call has a time limit: if the server does not answer
/// by then, the connection is lost.
final class PostgreSQLConnection {
  /// Longer than the server's own timeout of a statement, which it reports.
  static let limit = Duration.seconds(20)
  /// A script that brings a large database up to date takes a while.
  static let scriptLimit = Duration.seconds(600)

  let pointer: OpaquePointer
  private var names: [String: String] = [:]
  private(set) var isLost = false
  private var knownLife: String?

  /// Options that the URL may override; what we depend on comes after the URL. With `tcp_user_timeout` (milliseconds) a server
  /// that has vanished from the network is given up after six seconds, so that a promoted standby is found soon after.
  private static let defaults = [
    ("connect_timeout", "5"), ("keepalives_idle", "5"), ("keepalives_interval", "2"), ("keepalives_count", "2"),
    ("tcp_user_timeout", "6000"), ("target_session_attrs", "read-write"), ("application_name", "vpsd"),
  ]

  /// Timeouts, so that a client that stops in the middle of a transaction does not block all others for good, even if the
  /// server cannot tell that it is gone.
  private static let settings = """
    SET client_min_messages = warning; SET standard_conforming_strings = on; SET jit = off;
    SET statement_timeout = '10s'; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '3s';
    SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
    SET tcp_user_timeout = '15s'
    """

  init(_ address: PostgreSQLAddress) throws {
    let options = Self.defaults + [("dbname", address.url), ("client_encoding", "UTF8")]
    let texts = options.map { (strdup($0.0), strdup($0.1)) }
    defer {
      for (name, value) in texts {
        free(name)
        free(value)
      }
    }
    let names = texts.map { UnsafePointer($0.0) } + [nil]
    let values = texts.map { UnsafePointer($0.1) } + [nil]
    guard let pointer = PQconnectdbParams(names, values, 1) else { throw PostgreSQLError.lost("no memory") }
    self.pointer = pointer
    PQsetNoticeProcessor(pointer, { _, _ in }, nil)
    guard PQstatus(pointer) == CONNECTION_OK else {
      isLost = true
      throw PostgreSQLError.lost(complaint)
    }
    guard PQsetnonblocking(pointer, 1) == 0 else { throw PostgreSQLError.lost(complaint) }
    try execute(Self.settings)
  }

  deinit { PQfinish(pointer) }

  var serverVersion: Int { Int(PQserverVersion(pointer)) }

  var serverEncoding: String? { PQparameterStatus(pointer, "server_encoding").map { String(cString: $0) } }

  var isInsideTransaction: Bool {
    let status = PQtransactionStatus(pointer)
    return !isLost && (status == PQTRANS_INTRANS || status == PQTRANS_INERROR)
  }

  /// Identifies a run of the server: it changes with a crash, and when a standby takes over. Transactions whose commit was not
  /// acknowledged may be lost then, and their numbers used again. Nil where it cannot be known.
  func life() throws -> String? {
    if knownLife == nil { knownLife = try value(String?.self, Self.lifeQuery) ?? nil }
    return knownLife
  }

  /// A promoted standby has a new timeline. The statistics are reset when any process of the server crashes.
  private static let lifeQuery = """
    SELECT CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_lsn()), 8) || ' '
      || (SELECT CAST(EXTRACT(EPOCH FROM stats_reset) AS TEXT) FROM pg_stat_bgwriter) END
    """

  /// Several statements without parameters. Returns the answer of the last one.
  @discardableResult
  func execute(_ script: String, within limit: Duration = limit) throws -> PostgreSQLResult {
    try sent(PQsendQuery(pointer, script))
    return try answer(within: limit)
  }

  /// - Parameter isKept: Whether the statement is prepared for good.
  func answer(to sql: String, _ arguments: SQLArguments, isKept: Bool) throws -> PostgreSQLResult {
    let parameters = PostgreSQLParameters(arguments)
    if isKept {
      let name = try prepared(sql)
      try sent(
        parameters.send { count, values, lengths, formats in
          PQsendQueryPrepared(pointer, name, count, values, lengths, formats, 1)
        })
    } else {
      let text = PostgreSQLDialect.translated(sql)
      try sent(
        parameters.send { count, values, lengths, formats in
          PQsendQueryParams(pointer, text, count, nil, values, lengths, formats, 1)
        })
    }
    return try answer(within: Self.limit)
  }

  /// Waits until a notification arrives on a channel that this connection listens to, or the time is up. Returns all that
  /// arrived.
  func notifications(within limit: Duration) throws -> [PostgreSQLNotification] {
    let found = received()
    guard found.isEmpty else { return found }
    try wait(for: POLLIN, until: .now + limit)
    guard PQconsumeInput(pointer) == 1 else { throw lost(complaint) }
    return received()
  }

  private func received() -> [PostgreSQLNotification] {
    var found: [PostgreSQLNotification] = []
    while let notification = PQnotifies(pointer) {
      defer { PQfreemem(notification) }
      found.append(
        PostgreSQLNotification(
          process: notification.pointee.be_pid, text: String(cString: notification.pointee.extra)))
    }
    return found
  }

  /// The id of the server's process for this connection.
  var process: CInt { PQbackendPID(pointer) }

  private func prepared(_ sql: String) throws -> String {
    if let name = names[sql] { return name }
    let name = "s\(names.count)"
    try sent(PQsendPrepare(pointer, name, PostgreSQLDialect.translated(sql), 0, nil))
    _ = try answer(within: Self.limit)
    names[sql] = name
    return name
  }

  func sent(_ isSent: CInt) throws {
    guard isSent == 1 else { throw lost(complaint) }
  }

  func answer(within limit: Duration) throws -> PostgreSQLResult {
    let deadline = ContinuousClock.now + limit
    try flush(until: deadline)
    var last: PostgreSQLResult?
    var error: PostgreSQLError?
    while let result = try nextResult(until: deadline) {
      switch result.status {
      case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: last = result
      default: error = error ?? PostgreSQLError(result)
      }
    }
    guard PQstatus(pointer) == CONNECTION_OK else { throw lost(error?.text ?? complaint, error?.state ?? "") }
    if let error {
      if error.endsConnection { isLost = true }
      throw error
    }
    guard let last else { throw lost("no answer") }
    return last
  }

  /// Returns when everything is sent to the server.
  func flush(until deadline: ContinuousClock.Instant) throws {
    while true {
      let isUnsent = PQflush(pointer)
      if isUnsent == 0 { return }
      guard isUnsent > 0 else { throw lost(complaint) }
      try wait(for: POLLIN | POLLOUT, until: deadline)
      guard PQconsumeInput(pointer) == 1 else { throw lost(complaint) }
    }
  }

  /// Nil after the last result.
  func nextResult(until deadline: ContinuousClock.Instant) throws -> PostgreSQLResult? {
    while PQisBusy(pointer) == 1 {
      try wait(for: POLLIN, until: deadline)
      guard PQconsumeInput(pointer) == 1 else { throw lost(complaint) }
    }
    return PQgetResult(pointer).map(PostgreSQLResult.init)
  }

  func wait(for events: CInt, until deadline: ContinuousClock.Instant) throws {
    var socket = pollfd(fd: PQsocket(pointer), events: Int16(events), revents: 0)
    let rest = deadline - .now
    guard rest > .zero else { throw lost("the server does not answer") }
    let milliseconds = rest.components.seconds * 1000 + rest.components.attoseconds / 1_000_000_000_000_000 + 1
    guard poll(&socket, 1, CInt(clamping: milliseconds)) >= 0 || errno == EINTR else {
      throw lost(String(cString: strerror(errno)))
    }
  }

  var complaint: String { String(cString: PQerrorMessage(pointer)) }

  func lost(_ text: String, _ state: String = "") -> PostgreSQLError {
    isLost = true
    return PostgreSQLError(state: state.hasPrefix("57P") || state == "25P03" ? state : "", text: text)
  }
}

/// The arguments of a statement as libpq takes them: numbers as text, which fits whatever type the server infers, all others as
/// bytes.
private struct PostgreSQLParameters {
  private var bytes: [UInt8] = []
  private var offsets: [Int?] = []
  private var lengths: [CInt] = []
  private var formats: [CInt] = []

  init(_ arguments: SQLArguments) {
    for argument in arguments {
      switch argument?.stored ?? .null {
      case .null: add(nil, isText: true)
      case .integer(let number): add(Array("\(number)".utf8), isText: true)
      case .text(let text): add(Array(text.utf8), isText: false)
      case .blob(let blob): add(blob, isText: false)
      }
    }
  }

  private mutating func add(_ value: [UInt8]?, isText: Bool) {
    offsets.append(value.map { _ in bytes.count })
    lengths.append(CInt(value?.count ?? 0))
    formats.append(isText ? 0 : 1)
    bytes += value ?? []
    bytes.append(0)
  }

  func send(
    _ body: (CInt, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<CInt>?, UnsafePointer<CInt>?) -> CInt
  ) -> CInt {
    bytes.withUnsafeBytes { buffer in
      let start = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
      let values = offsets.map { offset in offset.flatMap { start?.advanced(by: $0) } }
      return body(CInt(offsets.count), values.map { UnsafePointer($0) }, lengths, formats)
    }
  }
}
