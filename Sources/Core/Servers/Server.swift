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
  /// Where its machine is, or is to be made: of the location's hosts the one that was chosen when it was ordered.
  package let hostID: ID<Host>
  package let addresses: ServerAddresses
  package let isBackupEnabled: Bool
  package let createdAt: Timestamp
  package let updatedAt: Timestamp
  package let labels: Labels
  /// Whether its customer can neither delete nor rebuild it.
  package let isDeleteProtected: Bool
  /// What was not well with its user data at the first boot, where it was not started since.
  package let userDataTrouble: UserDataTrouble?
  package let machine: Machine

  /// What only the workflows need to know of it.
  package struct Machine: Sendable, Equatable {
    /// The version of the image that its disk rests on, from when it was chosen.
    package let imageVersion: String?
    /// The public keys to install, a line each, copied from the account's keys, so that removing the key there changes nothing here.
    package let authorizedKey: String?
    /// crypt(3) of the root password, until the first boot is over.
    package let rootPasswordHash: String?
    package let hasDisk: Bool
    /// Whether it was ever ready, with whatever disk.
    package let wasEverReady: Bool
    /// Until the first boot of a new disk is over. That boot personalises the disk, and must be seen to have worked.
    package let awaitsFirstBoot: Bool
    /// Whether the disk that there may be is of a system that was replaced: it is removed before the next one is made.
    package let awaitsNewDisk: Bool
    /// Of its network card; nil for one that is older than the register of these.
    package let hardwareAddress: HardwareAddress?
    /// Nil where nobody has asked for one.
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

    /// The system that runs in the place of its own; nil for its own.
    package var enteredRescue: Rescue? { rescue.flatMap { $0.isEntered ? $0 : nil } }
  }

  /// What its customer can change.
  package struct Writable: Sendable, Equatable {
    package let name: ServerName
    package let hostname: Hostname
    package let isBackupEnabled: Bool
    package let labels: Labels
    package let isDeleteProtected: Bool
  }

  /// The first one.
  package var address: IPv4Address? { addresses.ipv4.first }
  /// The first one; nil where it has no IPv6.
  package var ipv6Network: IPv6Network? { addresses.ipv6.first }

  /// As its customer sees them: one is reserved from the first moment, and may still change until the machine is made with it.
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
    labels: Labels = .none, isDeleteProtected: Bool = false, userDataTrouble: UserDataTrouble? = nil, machine: Machine
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
    self.machine = machine
  }
}

package enum UserDataTrouble: Sendable, Equatable {
  /// The guest says so.
  case failed
  /// The guest said nothing in its time.
  case unknown
}

/// A server to be made: everything that the one transaction of a create needs to know.
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
  /// What its first boot is to do, as only the installation can read it.
  package let sealedUserData: [UInt8]?
  /// How many servers the account may have, this one included; nil for as many as it likes.
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

/// An operating system that is to be put on a server, in the place of all that is on its disk.
package struct NewSystem: Sendable {
  package enum UserData: Sendable, Equatable {
    /// What the server had before.
    case same
    case none
    case sealed([UInt8])
  }

  package let operatingSystemID: ID<OperatingSystem>
  /// The keys to install; none for those that the server was made with.
  package let sshKeyIDs: [ID<SSHKey>]
  /// For a server that is to have no key.
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
  /// The change is made only where the server still is like this.
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
  /// Exact but for upper and lower case.
  package var name: String?
  package var hostname: String?
  /// A part of its name or its hostname, whatever the case of its letters.
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

/// By what servers can be ordered.
package enum ServerKey: String, Sendable, CaseIterable {
  case id
  case name
  case hostname
  case status
  case createdAt = "created_at"
  case updatedAt = "updated_at"
}
