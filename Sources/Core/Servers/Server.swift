package import Foundation

/// A customer's virtual private server, as it is stored.
package struct Server: Sendable, Equatable {
  package let id: ID<Server>
  /// Also names the machine to the driver.
  package let uuid: UUID
  package let accountID: ID<Account>
  package let name: ServerName
  package let hostname: Hostname
  package let status: ServerStatus
  /// Why the status is `error`, for the customer to read.
  package let statusReason: String?
  package let planID: ID<Plan>
  package let operatingSystemID: ID<OperatingSystem>
  /// The code of the location.
  package let location: String
  /// The host that its machine is on, or will be made on: chosen among the location's hosts when the server was
  /// ordered.
  package let hostID: ID<Host>
  package let addresses: ServerAddresses
  package let isBackupEnabled: Bool
  package let createdAt: Timestamp
  package let updatedAt: Timestamp
  package let labels: Labels
  /// Whether its customer is prevented from deleting and rebuilding it.
  package let isDeleteProtected: Bool
  /// What went wrong with its user data at the first boot; nil after a later start.
  package let userDataTrouble: UserDataTrouble?
  /// Whether its disk comes from a template, whose memory replaced its first boot.
  package let isInstant: Bool
  package let machine: Machine

  /// What only the workflows need to know of the server.
  package struct Machine: Sendable, Equatable {
    /// The version of the image that its disk is made from, once it is chosen.
    package let imageVersion: String?
    /// The public keys to install, one per line: copied from the account's keys, so that deleting a key there changes
    /// nothing here.
    package let authorizedKey: String?
    /// The crypt(3) hash of the root password, until the first boot is over.
    package let rootPasswordHash: String?
    package let hasDisk: Bool
    /// Whether it was ever ready, with any disk.
    package let wasEverReady: Bool
    /// True until the first boot of a new disk is over. That boot personalises the disk, and must be seen to have
    /// worked.
    package let awaitsFirstBoot: Bool
    /// Whether the present disk, if any, has a system that was replaced: it is removed before the next one is made.
    package let awaitsNewDisk: Bool
    /// The hardware address of its network card; nil for a server from before these were stored.
    package let hardwareAddress: HardwareAddress?
    /// Nil if none was requested.
    package let rescue: Rescue?

    package init(
      imageVersion: String?, authorizedKey: String?, rootPasswordHash: String?, hasDisk: Bool, wasEverReady: Bool,
      awaitsFirstBoot: Bool, awaitsNewDisk: Bool, hardwareAddress: HardwareAddress? = nil, rescue: Rescue? = nil
    ) {
      self.imageVersion = imageVersion
      self.authorizedKey = authorizedKey
      self.rootPasswordHash = rootPasswordHash
      self.hasDisk = hasDisk
      self.wasEverReady = wasEverReady
      self.awaitsFirstBoot = awaitsFirstBoot
      self.awaitsNewDisk = awaitsNewDisk
      self.hardwareAddress = hardwareAddress
      self.rescue = rescue
    }

    /// The rescue system that it runs; nil if it runs its own system.
    package var enteredRescue: Rescue? { rescue.flatMap { $0.isEntered ? $0 : nil } }
  }

  /// The fields that its customer can change.
  package struct Writable: Sendable, Equatable {
    package let name: ServerName
    package let hostname: Hostname
    package let isBackupEnabled: Bool
    package let labels: Labels
    package let isDeleteProtected: Bool
  }

  /// The first IPv4 address.
  package var address: IPv4Address? { addresses.ipv4.first }
  /// The first IPv6 network; nil if there is none.
  package var ipv6Network: IPv6Network? { addresses.ipv6.first }

  /// The addresses that its customer may see: none before the machine is made, because the reserved ones may still
  /// change until then.
  package var visibleAddresses: ServerAddresses {
    status != .provisioning && machine.hasDisk ? addresses : ServerAddresses()
  }

  package var isInRescue: Bool { machine.enteredRescue != nil }

  package var writable: Writable {
    Writable(
      name: name, hostname: hostname, isBackupEnabled: isBackupEnabled, labels: labels,
      isDeleteProtected: isDeleteProtected)
  }

  package init(
    id: ID<Server>, uuid: UUID, accountID: ID<Account>, name: ServerName, hostname: Hostname, status: ServerStatus,
    statusReason: String?, planID: ID<Plan>, operatingSystemID: ID<OperatingSystem>, location: String, hostID: ID<Host>,
    addresses: ServerAddresses, isBackupEnabled: Bool, createdAt: Timestamp, updatedAt: Timestamp,
    labels: Labels = .none, isDeleteProtected: Bool = false, userDataTrouble: UserDataTrouble? = nil,
    isInstant: Bool = false, machine: Machine
  ) {
    self.id = id
    self.uuid = uuid
    self.accountID = accountID
    self.name = name
    self.hostname = hostname
    self.status = status
    self.statusReason = statusReason
    self.planID = planID
    self.operatingSystemID = operatingSystemID
    self.location = location
    self.hostID = hostID
    self.addresses = addresses
    self.isBackupEnabled = isBackupEnabled
    self.createdAt = createdAt
    self.updatedAt = updatedAt
    self.labels = labels
    self.isDeleteProtected = isDeleteProtected
    self.userDataTrouble = userDataTrouble
    self.isInstant = isInstant
    self.machine = machine
  }
}

package enum UserDataTrouble: Sendable, Equatable {
  /// The guest reports a failure.
  case failed
  /// The guest did not report in time.
  case unknown
}

/// A server to be made, with everything that the transaction of its creation needs to know.
package struct NewServer: Sendable {
  package let uuid: UUID
  package let accountID: ID<Account>
  package let name: ServerName
  package let hostname: Hostname
  package let plan: Plan
  package let operatingSystemID: ID<OperatingSystem>
  package let location: String
  package let isBackupEnabled: Bool
  package let sshKeyIDs: [ID<SSHKey>]
  package let rootPasswordHash: String?
  package let firewall: Firewall
  package let labels: Labels
  package let isDeleteProtected: Bool
  /// The user data for its first boot, encrypted with the installation's key.
  package let sealedUserData: [UInt8]?
  /// How many servers the account may have, this one included; nil for no limit.
  package let quota: Int?

  package init(
    uuid: UUID, accountID: ID<Account>, name: ServerName, hostname: Hostname, plan: Plan,
    operatingSystemID: ID<OperatingSystem>, location: String, isBackupEnabled: Bool, sshKeyIDs: [ID<SSHKey>],
    rootPasswordHash: String?, firewall: Firewall = .disabled, labels: Labels = .none, isDeleteProtected: Bool = false,
    sealedUserData: [UInt8]? = nil, quota: Int? = nil
  ) {
    self.uuid = uuid
    self.accountID = accountID
    self.name = name
    self.hostname = hostname
    self.plan = plan
    self.operatingSystemID = operatingSystemID
    self.location = location
    self.isBackupEnabled = isBackupEnabled
    self.sshKeyIDs = sshKeyIDs
    self.rootPasswordHash = rootPasswordHash
    self.firewall = firewall
    self.labels = labels
    self.isDeleteProtected = isDeleteProtected
    self.sealedUserData = sealedUserData
    self.quota = quota
  }

  package init(
    uuid: UUID, accountID: ID<Account>, name: ServerName, hostname: Hostname, plan: Plan,
    operatingSystemID: ID<OperatingSystem>, location: String, isBackupEnabled: Bool, sshKeyID: ID<SSHKey>?,
    rootPasswordHash: String?, quota: Int? = nil
  ) {
    self.init(
      uuid: uuid, accountID: accountID, name: name, hostname: hostname, plan: plan,
      operatingSystemID: operatingSystemID, location: location, isBackupEnabled: isBackupEnabled,
      sshKeyIDs: sshKeyID.map { [$0] } ?? [], rootPasswordHash: rootPasswordHash, quota: quota)
  }
}

/// An operating system that is to replace everything on a server's disk.
package struct NewSystem: Sendable {
  package enum UserData: Sendable, Equatable {
    /// Keeps the server's present user data.
    case same
    case none
    case sealed([UInt8])
  }

  package let operatingSystemID: ID<OperatingSystem>
  /// The keys to install; empty keeps those that the server has.
  package let sshKeyIDs: [ID<SSHKey>]
  /// Only for a server that is to have no key.
  package let rootPasswordHash: String?
  package let userData: UserData

  package init(
    operatingSystemID: ID<OperatingSystem>, sshKeyIDs: [ID<SSHKey>], rootPasswordHash: String?,
    userData: UserData = .same
  ) {
    self.operatingSystemID = operatingSystemID
    self.sshKeyIDs = sshKeyIDs
    self.rootPasswordHash = rootPasswordHash
    self.userData = userData
  }
}

/// The fields that a customer can change; nil leaves a field as it is.
package struct ServerChange: Sendable, Equatable {
  package var name: ServerName?
  package var hostname: Hostname?
  package var isBackupEnabled: Bool?
  package var labels: Labels?
  package var isDeleteProtected: Bool?
  /// If this is set, the change is made only if the server is still like this.
  package var expected: Server.Writable?

  package init(name: ServerName? = nil, hostname: Hostname? = nil, isBackupEnabled: Bool? = nil) {
    self.name = name
    self.hostname = hostname
    self.isBackupEnabled = isBackupEnabled
  }
}

package struct ServerFilter: Sendable, Equatable {
  package var status: ServerStatus?
  package var location: String?
  /// Compared as a whole, ignoring case.
  package var name: String?
  package var hostname: String?
  /// A part of the name or the hostname, ignoring case.
  package var text: String?
  package var labels: LabelSelector?

  package init(
    status: ServerStatus? = nil, location: String? = nil, name: String? = nil, hostname: String? = nil
  ) {
    self.status = status
    self.location = location
    self.name = name
    self.hostname = hostname
  }
}

/// The keys that servers can be sorted by.
package enum ServerKey: String, Sendable, CaseIterable {
  case id
  case name
  case hostname
  case status
  case createdAt = "created_at"
  case updatedAt = "updated_at"
}
