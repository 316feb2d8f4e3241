/// The SSH keys of an account.
package protocol SSHKeyStore: Sendable {
  /// With a name, only the keys that have it, ignoring case. Throws `notFound` if there is no such page.
  func sshKeys(
    of account: ID<Account>, named name: String?, order: [ListOrder<SSHKeyKey>], page: PageRequest
  ) async throws -> Page<SSHKey>
  func sshKey(_ id: ID<SSHKey>, of account: ID<Account>) async throws -> SSHKey?
  /// The ids of those that the account has, all from one read.
  func sshKeyIDs(
    _ references: [Reference<SSHKey>], of account: ID<Account>
  ) async throws -> [Reference<SSHKey>: ID<SSHKey>]
  /// Throws `invalidFields` if the account has a key with this fingerprint already, and `permissionDenied` beyond its
  /// quota.
  func createSSHKey(_ key: NewSSHKey, by caller: Caller, at now: Timestamp) async throws -> SSHKey
  func deleteSSHKey(_ id: ID<SSHKey>, by caller: Caller, at now: Timestamp) async throws -> Bool
}
