import API
import Core
import Foundation
import SQLStore

struct ServerRecord: DetailedRecord {
  let listing: ServerListing
  let catalogue: Catalogue

  private var server: Server { listing.server }

  /// Customers no longer see a server that is being deleted, so `ServerStatus` has no value for that.
  private var status: String { listing.deletedAt == nil ? server.status.rawValue : "deleting" }

  private var further: String? {
    let others = server.addresses.all.dropFirst().map(\.description)
    return others.isEmpty ? nil : others.joined(separator: " ")
  }

  static let headings = ["ID", "ACCOUNT", "NAME", "STATUS", "ADDRESS", "HOST", "REASON"]

  var cells: [String] {
    [
      "\(server.id)", listing.email, server.name.name, status, server.address?.description ?? "-", listing.host,
      listing.failure ?? "",
    ]
  }

  var details: [(label: String, value: String?)] {
    [
      ("ID", "\(server.id)"), ("UUID", server.uuid.text),
      ("ACCOUNT", "\(listing.email) (\(server.accountID))"), ("NAME", server.name.name),
      ("HOSTNAME", server.hostname.name), ("STATUS", status), ("REASON", server.statusReason),
      ("FAILURE", listing.failure), ("SUSPENDED BY OPERATOR", listing.suspensionReason.map { $0.isEmpty ? "yes" : $0 }),
      ("PLAN", catalogue.plan(server.planID)?.name),
      ("SYSTEM", catalogue.operatingSystem(server.operatingSystemID)?.name), ("IMAGE", server.machine.imageVersion),
      ("ADDRESS", server.address?.description), ("OTHERS", further), ("LOCATION", server.location),
      ("HOST", listing.host),
      ("PRICE/H", listing.pricePerHour.decimal), ("BACKUPS", server.isBackupEnabled ? "every day" : "none"),
      ("CREATED", server.createdAt.displayed),
      ("CHANGED", server.updatedAt.displayed), ("DELETED", listing.deletedAt?.displayed),
    ]
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("id", server.id.value)
    writer.field("uuid", server.uuid)
    writer.field("account") { writer in
      writer.field("id", server.accountID.value)
      writer.field("email", listing.email)
    }
    writer.field("name", server.name.name)
    writer.field("hostname", server.hostname.name)
    writer.field("status", status)
    writer.field("status_reason", server.statusReason)
    writer.field("failure", listing.failure)
    writer.field("suspension_reason", listing.suspensionReason)
    writer.field("plan") { writer in
      writer.field("id", server.planID.value)
      writer.field("name", catalogue.plan(server.planID)?.name)
    }
    writer.field("os") { writer in
      writer.field("id", server.operatingSystemID.value)
      writer.field("name", catalogue.operatingSystem(server.operatingSystemID)?.name)
    }
    writer.field("price_hourly", text: listing.pricePerHour)
    writer.field("image_version", server.machine.imageVersion)
    writer.field("location", server.location)
    writer.field("host", listing.host)
    writer.field("ip_address", server.address?.description)
    writer.field(named: "ipv4_addresses", server.addresses.ipv4.map(\.description))
    writer.field(named: "ipv6_addresses", server.addresses.ipv6.map(\.serverAddress))
    writer.field("backups_enabled", server.isBackupEnabled)
    writer.field("created_at", server.createdAt)
    writer.field("updated_at", server.updatedAt)
    writer.field("deleted_at", listing.deletedAt)
  }
}

extension SQLStore {
  /// Finds a server by its ID, UUID or name.
  func server(named text: String) async throws -> ServerListing {
    if let reference = Reference<Server>(text), let found = try await serverListing(reference) { return found }
    let missing = Refusal.noSuch("There is no server \(text.quoted): see `vpsd server list`.")
    guard let name = ServerName(text) else { throw missing }
    let ids = try await serverIDs(named: name.name, limit: 11)
    guard ids.count < 2 else {
      let list = ids.prefix(10).map(\.description).joined(separator: ", ") + (ids.count > 10 ? " and others" : "")
      throw Refusal.refused("There are several servers with the name \(text.quoted): say which by its id, \(list).")
    }
    guard let id = ids.first, let found = try await serverListing(.id(id)) else { throw missing }
    return found
  }
}
