package import Foundation

/// A public key that can be installed on new servers.
package struct SSHKey: Sendable, Equatable {
  package let id: ID<SSHKey>
  package let uuid: UUID
  package let accountID: ID<Account>
  package let name: String
  /// As OpenSSH shows it: `SHA256:` and the unpadded base 64 of the key's hash.
  package let fingerprint: String
  /// One line: type, base 64, and an optional comment.
  package let publicKey: String
  package let createdAt: Timestamp
  /// When it was last installed on a server.
  package let lastUsedAt: Timestamp?

  package init(
    id: ID<SSHKey>, uuid: UUID, accountID: ID<Account>, name: String, fingerprint: String, publicKey: String,
    createdAt: Timestamp, lastUsedAt: Timestamp?
  ) {
    self.id = id
    self.uuid = uuid
    self.accountID = accountID
    self.name = name
    self.fingerprint = fingerprint
    self.publicKey = publicKey
    self.createdAt = createdAt
    self.lastUsedAt = lastUsedAt
  }
}

package struct NewSSHKey: Sendable {
  package let uuid: UUID
  package let accountID: ID<Account>
  package let name: String
  package let fingerprint: String
  package let publicKey: String
  /// How many keys the account may have, this one included; nil for as many as it likes.
  package let quota: Int?

  package init(
    uuid: UUID, accountID: ID<Account>, name: String, fingerprint: String, publicKey: String, quota: Int? = nil
  ) {
    self.uuid = uuid
    self.accountID = accountID
    self.name = name
    self.fingerprint = fingerprint
    self.publicKey = publicKey
    self.quota = quota
  }
}

/// The keys that SSH keys can be sorted by.
package enum SSHKeyKey: String, Sendable, CaseIterable {
  case id
  case name
  case createdAt = "created_at"
}
