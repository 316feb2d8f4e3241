/// What became of user data in guests.
package protocol UserDataStore: Sendable {
  /// So many active servers of the host of which that is not known, by their ids, from the one after this on.
  func serversAwaitingUserData(on host: ID<Host>, after id: ID<Server>?, limit: Int) async throws -> [Server]
  /// It is known now, or is asked for no more. Does nothing where nobody waits for it any more.
  func recordUserData(of id: ID<Server>, _ trouble: UserDataTrouble?) async throws
}
