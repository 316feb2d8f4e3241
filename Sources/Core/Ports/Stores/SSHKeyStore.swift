/// The SSH keys of an account.
package protocol SSHKeyStore: Sendable {
  /// Only those of this name, whatever the case of its letters, where there is one. Throws `notFound` where there is no such
  /// page.
  func sshKeys(
    of account: ID<Account>, named name: String?, order: [ListOrder<SSHKeyKey>], page: PageRequest
  ) async throws -> Page<SSHKey>
  func sshKey(_ id: ID<SSHKey>, of account: ID<Account>) async throws -> SSHKey?
  /// Those that the account has, all in one look.
  func sshKeyIDs(
    _ references: [Reference<SSHKey>], of account: ID<Account>
  ) async throws -> [Reference<SSHKey>: ID<SSHKey>]
  /// Throws `invalidFields` where the account has this key, by fingerprint, already, and `permissionDenied` beyond its quota.
  func createSSHKey(_ key: NewSSHKey, by caller: Caller, at now: Timestamp) async throws -> SSHKey
  func deleteSSHKey(_ id: ID<SSHKey>, by caller: Caller, at now: Timestamp) async throws -> Bool
}
