/// The results of user data in guests.
package protocol UserDataStore: Sendable {
  /// Active servers of the host whose result is not known yet, after this id and in the order of ids; at most `limit`.
  func serversAwaitingUserData(on host: ID<Host>, after id: ID<Server>?, limit: Int) async throws -> [Server]
  /// Records the result, or that it will not be asked for any more. Does nothing if the server does not wait for a
  /// result.
  func recordUserData(of id: ID<Server>, _ trouble: UserDataTrouble?) async throws
}
