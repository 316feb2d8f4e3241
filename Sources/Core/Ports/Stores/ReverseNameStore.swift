/// What addresses are called, and what DNS servers are yet to be told of it. Each change is written with what it follows from, in
/// one transaction: an address that is given or released, a name that its customer chooses.
package protocol ReverseNameStore: Sendable {
  /// Says whether such changes are written down from now on, by the commands of other processes too. All names are to be said when
  /// that begins, and none when it ends.
  func setReverseNames(areSaid: Bool, at now: Timestamp) async throws

  /// Nil where there is no such server.
  func namedServer(_ id: ID<Server>, of account: ID<Account>) async throws -> NamedServer?

  /// Nil goes back to the default. Returns whether the server has the address, or the network that it is in.
  ///
  /// - Parameter limit: How many other addresses of its networks than its own may have names.
  func setName(
    _ name: Hostname?, of address: ServerAddress, of id: ID<Server>, limit: Int, by caller: Caller, at now: Timestamp
  ) async throws -> Bool

  /// Where there are changes that are due.
  func locationsAwaitingNames(at now: Timestamp) async throws -> [String]
  /// Those of a location that are due, the longest waiting first.
  func dueNames(at location: String, limit: Int, at now: Timestamp) async throws -> [NameChange]
  /// These were said. One that has become another meanwhile is still to be.
  func recordSaid(_ changes: [NameChange]) async throws
  /// These are tried again.
  func recordRefused(_ names: [RefusedName], at now: Timestamp) async throws

  /// Where there are addresses that were ever given.
  func locationsOfAddresses() async throws -> [String]
  /// All of a location that were ever given, and after them those that have names in networks that were: those after this one.
  func addressNames(at location: String, after last: AddressName?, limit: Int) async throws -> [AddressName]
  /// These are to be said, if they are not already.
  func queueNames(of addresses: [ServerAddress], at now: Timestamp) async throws
}
