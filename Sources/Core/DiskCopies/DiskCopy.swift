package import Foundation

/// A standalone copy of a server's disk, as it was at one moment: a backup or a snapshot. It is deleted with its
/// server.
package struct DiskCopy: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    /// A backup that somebody asked for.
    case manual
    /// A backup by the schedule; it expires.
    case automatic
    case snapshot
  }

  /// The kinds as customers see them: each family has its own paths and its own permission.
  package enum Family: Sendable, CaseIterable {
    case backup
    case snapshot

    package var resource: Permission.Resource {
      switch self {
      case .backup: .backups
      case .snapshot: .snapshots
      }
    }
  }

  package enum Status: String, Sendable, CaseIterable {
    case pending
    case completed
    case failed
  }

  package let id: ID<DiskCopy>
  /// Also names the copy to the driver.
  package let uuid: UUID
  package let serverID: ID<Server>
  package let serverName: ServerName
  package let kind: Kind
  /// The name of a snapshot; nil for a backup.
  package let name: CopyName?
  /// Empty if there is none.
  package let description: String
  package let status: Status
  /// Why the status is `failed`, for the customer to read.
  package let statusReason: String?
  /// The space that it takes on the host; nil until it is completed.
  package let sizeBytes: Int64?
  /// The checksum of its file, from the driver; nil until it is completed.
  package let checksum: String?
  package let createdAt: Timestamp
  /// When an automatic backup is removed; nil for other copies.
  package let expiresAt: Timestamp?

  package init(
    id: ID<DiskCopy>, uuid: UUID, serverID: ID<Server>, serverName: ServerName, kind: Kind, name: CopyName?,
    description: String, status: Status, statusReason: String?, sizeBytes: Int64?, checksum: String?,
    createdAt: Timestamp, expiresAt: Timestamp?
  ) {
    self.id = id
    self.uuid = uuid
    self.serverID = serverID
    self.serverName = serverName
    self.kind = kind
    self.name = name
    self.description = description
    self.status = status
    self.statusReason = statusReason
    self.sizeBytes = sizeBytes
    self.checksum = checksum
    self.createdAt = createdAt
    self.expiresAt = expiresAt
  }

  /// Megabytes, rounded up.
  package var sizeMB: Int64? { sizeBytes.map { ($0 + 999_999) / 1_000_000 } }
}

/// The customer's name for a snapshot: 1 to 64 letters, digits, hyphens and underscores. It need not be unique.
package struct CopyName: Hashable, Sendable, CustomStringConvertible {
  package static let maximumLength = 64

  package let name: String

  package init?(_ text: String) {
    guard (1...Self.maximumLength).contains(text.utf8.count) else { return nil }
    let isWord = text.utf8.allSatisfy { byte in
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
    guard isWord else { return nil }
    name = text
  }

  package var description: String { name }
}

/// A copy that a customer asks for.
package struct NewDiskCopy: Sendable {
  package let uuid: UUID
  package let serverID: ID<Server>
  /// With a name, the copy is a snapshot; without one, a backup.
  package let name: CopyName?
  package let description: String
  /// How many copies the server may have, counting this one but no automatic ones; nil for no limit.
  package let quota: Int?

  package init(uuid: UUID, serverID: ID<Server>, name: CopyName?, description: String, quota: Int? = nil) {
    self.uuid = uuid
    self.serverID = serverID
    self.name = name
    self.description = description
    self.quota = quota
  }

  package var kind: DiskCopy.Kind { name == nil ? .manual : .snapshot }
}

package struct DiskCopyFilter: Sendable, Equatable {
  package var serverID: ID<Server>?
  package var kind: DiskCopy.Kind?
  package var status: DiskCopy.Status?
  /// Compared as a whole, ignoring case.
  package var name: String?

  package init(
    serverID: ID<Server>? = nil, kind: DiskCopy.Kind? = nil, status: DiskCopy.Status? = nil, name: String? = nil
  ) {
    self.serverID = serverID
    self.kind = kind
    self.status = status
    self.name = name
  }
}

/// The keys that copies can be sorted by.
package enum DiskCopyKey: String, Sendable, CaseIterable {
  case id
  case name
  case status
  case size = "size_mb"
  case createdAt = "created_at"
}
