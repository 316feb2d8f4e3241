import Core
import Engine

/// What only operators' programs see: accounts, hosts, images and the audit trail.
enum OperatorWire {
  /// The fields that the customer sees, preceded by the id and followed by the operator's fields.
  static func account(_ writer: inout JSONWriter, _ account: Account, currency: String, hourlyCost: Money) {
    writer.object { writer in
      writer.field("id", account.id.value)
      writer.field("email", account.email)
      writer.field("first_name", account.firstName)
      writer.field("last_name", account.lastName)
      writer.field("company_name", account.companyName)
      writer.field("created_at", String(account.createdAt.wireFormat.prefix { $0 != "T" }))
      writer.field("balance", account.balance)
      writer.field("currency", currency)
      writer.field("hourly_cost", hourlyCost)
      writer.field("suspended", account.suspension.cause?.rawValue)
      writer.field("deletion_at", account.suspension.deletionAt)
      writer.field("suspension_reason", account.suspension.operatorReason)
      writer.field("language", account.language.rawValue)
      writer.field("smtp_outbound", account.mayMail)
      writer.field("closed_at", account.closedAt)
    }
  }

  static func host(_ writer: inout JSONWriter, _ load: HostLoad) {
    let host = load.host
    writer.object { writer in
      writer.field("id", host.id.value)
      writer.field("name", host.name)
      writer.field("location", host.location)
      writer.field("driver", host.driver)
      writer.field("state", host.state.rawValue)
      writer.field("servers", load.serverCount)
      writer.field("reserved") { capacity(&$0, load.reserved) }
      writer.field(named: "capacity") { writer in
        if let all = host.capacity { writer.object { capacity(&$0, all) } } else { writer.null() }
      }
      writer.field("away_since", host.awaySince)
      writer.field("moves_servers_at", host.movesServersAt)
      writer.field("configured", host.isConfigured)
      writer.field("fence_failure", host.fenceFailure)
    }
  }

  private static func capacity(_ writer: inout JSONWriter, _ capacity: HostCapacity) {
    writer.field("vcpus", capacity.vcpus)
    writer.field("memory", capacity.memoryMiB)
    writer.field("storage", capacity.storageGiB)
  }

  static func image(_ writer: inout JSONWriter, _ listing: OperatorImages.Listing) {
    writer.object { writer in
      writer.field("id", listing.system.id.value)
      writer.field("image", listing.system.imageName)
      writer.field("os") { writer in
        writer.field("id", listing.system.id.value)
        writer.field("name", listing.system.name)
      }
      writer.field("available", listing.system.isAvailable)
      writer.field("servers", listing.serverCount)
      writer.field("versions", listing.uses) { writer, use in
        writer.object { writer in
          writer.field("version", use.imageVersion)
          writer.field("servers", use.serverCount)
        }
      }
      writer.field("hosts", listing.hosts) { writer, host in
        writer.object { writer in
          writer.field("host", host.host)
          writer.field("status", status(host.absence))
        }
      }
    }
  }

  private static func status(_ absence: ImageAbsence?) -> String {
    switch absence {
    case nil: "available"
    case .beingFetched(.waiting)?: "waiting"
    case .beingFetched(.downloading)?: "downloading"
    case .beingFetched(.preparing)?: "preparing"
    case .unavailable?: "unavailable"
    }
  }

  static func auditEntry(_ writer: inout JSONWriter, _ entry: AuditEntry) {
    writer.object { writer in
      writer.field("id", entry.id.value)
      writer.field("created_at", entry.at)
      writer.field("action", entry.action)
      writer.field("detail", entry.detail)
      writer.field(named: "account") { writer in
        guard let id = entry.accountID else { return writer.null() }
        writer.object { writer in
          writer.field("id", id.value)
          writer.field("email", entry.email)
        }
      }
      writer.field("server_id", entry.serverID?.value)
      // Changes that were made on the host have no token.
      writer.field(named: "token") { writer in
        guard let id = entry.tokenID else { return writer.null() }
        writer.object { writer in
          writer.field("id", id.value)
          writer.field("name", entry.tokenName)
          writer.field("email", entry.tokenEmail)
        }
      }
      writer.field("outcome", entry.outcome?.rawValue)
      writer.field("origin", entry.origin)
    }
  }
}
