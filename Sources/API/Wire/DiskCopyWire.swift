import Core
import Foundation

/// Backups and snapshots in the form of the API: fields and order are those of its documentation. Additional fields
/// follow all documented ones.
enum DiskCopyWire {
  static func copy(_ writer: inout JSONWriter, _ copy: DiskCopy) {
    writer.object { writer in
      writer.field("id", copy.id.value)
      writer.field("server") { writer in
        writer.field("id", copy.serverID.value)
        writer.field("name", copy.serverName.name)
      }
      if copy.kind == .snapshot {
        writer.field("name", copy.name?.name)
      } else {
        writer.field("backup_type", copy.kind.rawValue)
      }
      writer.field("status", copy.status.rawValue)
      writer.field("size_mb", copy.sizeMB)
      writer.field("created_at", copy.createdAt)
      if copy.kind != .snapshot { writer.field("expires_at", copy.expiresAt) }
      writer.field("description", copy.description)
      writer.field("uuid", copy.uuid.text)
      writer.field("checksum", copy.checksum)
      writer.field("status_reason", copy.statusReason)
    }
  }
}
