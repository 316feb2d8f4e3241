import Core
import Foundation

/// Carries out batches of writes, on the one thread and the one connection that write.
struct PostgreSQLWriter {
  private static let attempts = 4
  /// For how long to ask for the outcome of a commit whose answer was lost.
  private static let patience = Duration.seconds(10)

  let address: PostgreSQLAddress
  let session: ConnectionThreads.Session

  func carryOut(_ batch: [any PendingWrite]) {
    do {
      for answer in try commit(batch) { answer() }
    } catch {
      for write in batch { write.fail(error) }
    }
  }

  /// Repeats the transaction while it is certain that nothing was committed and another try may help.
  private func commit(_ batch: [any PendingWrite]) throws -> [@Sendable () -> Void] {
    var attempt = 1
    while true {
      let connection = try session.connected()
      do {
        return try transaction(of: batch, on: connection)
      } catch let error as PostgreSQLError where attempt < Self.attempts && (error.isConflict || connection.isLost) {
        attempt += 1
      }
    }
  }

  private func transaction(
    of batch: [any PendingWrite], on connection: PostgreSQLConnection
  ) throws -> [@Sendable () -> Void] {
    let answers: [@Sendable () -> Void]
    let number: String?
    let life = try connection.life()
    do {
      // READ COMMITTED, so that each statement sees all that the former holders of the lock have written.
      try connection.execute(
        "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock(\(AdvisoryLock.write.arguments))")
      answers = try batch.map { write in try write.run(in: connection) }
      number = try connection.value(String?.self, "SELECT CAST(pg_current_xact_id_if_assigned() AS TEXT)") ?? nil
    } catch {
      if connection.isInsideTransaction { try connection.execute("ROLLBACK") }
      throw error
    }
    do {
      let command = try connection.execute("COMMIT").command
      guard command == "COMMIT" else { throw Failure.internalError("PostgreSQL: the transaction ended as \(command)") }
    } catch let error as PostgreSQLError where connection.isLost {
      guard let number, try isCommitted(number, in: life, after: error) else { throw error }
    }
    return answers
  }

  /// Asks the server whether a transaction was committed whose commit it did not answer. Throws where that cannot be known: it
  /// may be committed, so it must not be repeated.
  private func isCommitted(_ number: String, in life: String?, after error: PostgreSQLError) throws -> Bool {
    let deadline = ContinuousClock.now + Self.patience
    while ContinuousClock.now < deadline {
      if let connection = try? PostgreSQLConnection(address), let newLife = try? connection.life(),
        let status = try? Self.status(of: number, on: connection)
      {
        switch status {
        case "committed" where newLife == life: return true
        // After a crash another transaction may have its number.
        case "committed": throw unknown(error)
        case "aborted": return false
        default: break
        }
      }
      poll(nil, 0, 100)
    }
    throw unknown(error)
  }

  /// Nil where it is too old to be known.
  static func status(of number: String, on connection: PostgreSQLConnection) throws -> String? {
    do {
      return try connection.value(
        String?.self, "SELECT pg_xact_status(CAST(CAST(? AS TEXT) AS xid8))", [number]) ?? nil
    } catch let error as PostgreSQLError where error.state == "22023" {
      // It is yet to come: a standby that never heard of it is the server now.
      return "aborted"
    }
  }

  private func unknown(_ error: PostgreSQLError) -> StoreUnavailable {
    StoreUnavailable(
      "PostgreSQL: the connection was lost in a commit, and whether it was carried out is not known (\(error.text))")
  }
}
