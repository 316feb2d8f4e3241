/// The names of addresses, and the changes that DNS servers are yet to be told. Each change is written in the same
/// transaction as its cause: an address that is given or released, or a name that a customer chooses.
package protocol ReverseNameStore: Sendable {
  /// Sets whether such changes are written from now on, also by commands in other processes. Turning this on queues all
  /// names; turning it off deletes all changes that wait.
  func setReverseNames(areSaid: Bool, at now: Timestamp) async throws

  /// Nil if there is no such server.
  func namedServer(_ id: ID<Server>, of account: ID<Account>) async throws -> NamedServer?

  /// Sets the name of an address; nil restores the default. Returns whether the server has the address, or the network
  /// that it is in.
  ///
  /// - Parameter limit: How many addresses of its networks, other than its own addresses, may have names.
  func setName(
    _ name: Hostname?, of address: ServerAddress, of id: ID<Server>, limit: Int, by caller: Caller, at now: Timestamp
  ) async throws -> Bool

  /// The locations that have changes that are due.
  func locationsAwaitingNames(at now: Timestamp) async throws -> [String]
  /// The changes of a location that are due, the longest waiting first.
  func dueNames(at location: String, limit: Int, at now: Timestamp) async throws -> [NameChange]
  /// Removes changes that the DNS server has taken. A name that was changed again meanwhile stays queued.
  func recordSaid(_ changes: [NameChange]) async throws
  /// Schedules another attempt for each of these.
  func recordUntaken(_ names: [UntakenName], at now: Timestamp) async throws

  /// The locations that have addresses that were ever given.
  func locationsOfAddresses() async throws -> [String]
  /// The addresses of a location that were ever given, followed by the named addresses in networks that were; those
  /// after this one.
  func addressNames(at location: String, after last: AddressName?, limit: Int) async throws -> [AddressName]
  /// Queues the names of these addresses, unless they are queued already.
  func queueNames(of addresses: [ServerAddress], at now: Timestamp) async throws
}
