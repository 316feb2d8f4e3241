/// The requests and replies of the API, with the fields that they have on the wire, in camel case.
extension APIClient {
  public struct Server: Decodable, Sendable {
    public struct ResourceUsage: Decodable, Sendable {
      public let cpuPercent: Double
      /// MiB.
      public let memoryUsed: Int
      /// GiB.
      public let diskUsed: Int
      /// GB.
      public let bandwidthUsed: Int
    }

    public let id: Int
    public let uuid: String
    public let name: String
    public let hostname: String
    public let status: String
    public let statusReason: String?
    public let ipAddress: String?
    /// The port of `ipAddress` for the server's sshd. If the address is the host's, the port leads there only as long
    /// as it is among the forwarded ports.
    public let sshPort: Int
    public let password: String?
    /// Only present when a single server is read.
    public let resourceUsage: ResourceUsage?
  }

  public struct CreateServer: Encodable, Sendable {
    public var name: String
    public var planId: Int
    public var osId: Int
    public var location: String
    public var hostname: String?
    public var sshKeyId: Int?

    public init(
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

  public struct UpdateServer: Encodable, Sendable {
    public var name: String?
    public var hostname: String?
    public var backupsEnabled: Bool?

    public init(name: String? = nil, hostname: String? = nil, backupsEnabled: Bool? = nil) {
      self.name = name
      self.hostname = hostname
      self.backupsEnabled = backupsEnabled
    }
  }

  public struct ActionReply: Decodable, Sendable {
    public let status: String
    public let message: String
    /// The password of a rebuilt server without an SSH key.
    public let password: String?
  }

  struct Resize: Encodable {
    let planId: Int
  }

  struct Rebuild: Encodable {
    let osId: Int?
  }

  /// A backup or a snapshot.
  public struct DiskCopy: Decodable, Sendable {
    public let id: Int
    public let uuid: String
    public let status: String
    public let statusReason: String?
    public let sizeMb: Int?
    public let checksum: String?
  }

  public struct CreateBackup: Encodable, Sendable {
    public var serverId: Int
    public var description: String?

    public init(serverId: Int, description: String? = nil) {
      self.serverId = serverId
      self.description = description
    }
  }

  public struct CreateSnapshot: Encodable, Sendable {
    public var serverId: Int
    public var name: String

    public init(serverId: Int, name: String) {
      self.serverId = serverId
      self.name = name
    }
  }

  public struct Console: Decodable, Sendable {
    /// A page for browsers.
    public let url: String
    public let websocketUrl: String
    public let ticket: String
  }

  public struct SSHKey: Decodable, Sendable {
    public let id: Int
    public let fingerprint: String
  }

  public struct CreateSSHKey: Encodable, Sendable {
    public var name: String
    public var publicKey: String

    public init(name: String, publicKey: String) {
      self.name = name
      self.publicKey = publicKey
    }
  }
}
