/// What the API takes and gives, field by field as it is on the wire, in camel case.
extension APIClient {
  package struct List<Element: Decodable & Sendable>: Decodable, Sendable {
    package let count: Int
    package let results: [Element]
  }

  package struct Server: Decodable, Sendable {
    package struct ResourceUsage: Decodable, Sendable {
      package let cpuPercent: Double
      /// MiB.
      package let memoryUsed: Int
      /// GiB.
      package let diskUsed: Int
      /// GB.
      package let bandwidthUsed: Int
    }

    package let id: Int
    package let uuid: String
    package let name: String
    package let hostname: String
    package let status: String
    package let statusReason: String?
    package let ipAddress: String?
    /// The port of the address that leads to the server's sshd.
    package let sshPort: Int
    package let password: String?
    /// Only where one server is read.
    package let resourceUsage: ResourceUsage?
  }

  package struct CreateServer: Encodable, Sendable {
    package var name: String
    package var planId: Int
    package var osId: Int
    package var location: String
    package var hostname: String?
    package var sshKeyId: Int?

    package init(
      name: String, planId: Int, osId: Int, location: String, hostname: String? = nil, sshKeyId: Int? = nil
    ) {
      self.name = name
      self.planId = planId
      self.osId = osId
      self.location = location
      self.hostname = hostname
      self.sshKeyId = sshKeyId
    }
  }

  package struct UpdateServer: Encodable, Sendable {
    package var name: String?
    package var hostname: String?
    package var backupsEnabled: Bool?

    package init(name: String? = nil, hostname: String? = nil, backupsEnabled: Bool? = nil) {
      self.name = name
      self.hostname = hostname
      self.backupsEnabled = backupsEnabled
    }
  }

  package struct ActionReply: Decodable, Sendable {
    package let status: String
    package let message: String
    /// Of a rebuilt server without an SSH key.
    package let password: String?
  }

  struct Resize: Encodable {
    let planId: Int
  }

  struct Rebuild: Encodable {
    let osId: Int?
  }

  /// A backup or a snapshot.
  package struct DiskCopy: Decodable, Sendable {
    package let id: Int
    package let uuid: String
    package let status: String
    package let statusReason: String?
    package let sizeMb: Int?
    package let checksum: String?
  }

  package struct CreateBackup: Encodable, Sendable {
    package var serverId: Int
    package var description: String?

    package init(serverId: Int, description: String? = nil) {
      self.serverId = serverId
      self.description = description
    }
  }

  package struct CreateSnapshot: Encodable, Sendable {
    package var serverId: Int
    package var name: String

    package init(serverId: Int, name: String) {
      self.serverId = serverId
      self.name = name
    }
  }

  package struct Console: Decodable, Sendable {
    /// A page for browsers.
    package let url: String
    package let websocketUrl: String
    package let ticket: String
  }

  package struct SSHKey: Decodable, Sendable {
    package let id: Int
    package let fingerprint: String
  }

  package struct CreateSSHKey: Encodable, Sendable {
    package var name: String
    package var publicKey: String

    package init(name: String, publicKey: String) {
      self.name = name
      self.publicKey = publicKey
    }
  }
}
