import Core
import GRDB

extension Database {
  /// Remembers who did what. Throws where the caller has lost the right to do it.
  func audit(
    _ action: String, on server: ID<Server>? = nil, detail: String? = nil, by caller: Caller, at now: Timestamp
  ) throws {
    try markEffect(of: caller)
    try run(
      "INSERT INTO audit (at, account_id, token_id, server_id, action, detail) VALUES (?, ?, ?, ?, ?, ?)",
      [now, caller.accountID, caller.tokenID, server, action, detail])
  }
}
