package import Foundation

/// A host on which machines are made and run. Every method can safely be repeated, at any point of a machine's life,
/// and after a process died in the middle of it. None knows HTTP or SQL. Machines outlive the process that made them.
///
/// All methods throw `DriverError` and nothing else.
package protocol ComputeDriver: Sendable {
  var timing: MachineTiming { get }

  /// The port of the machine's own address that leads to its sshd. For a running machine, the port that it was started
  /// with; otherwise the one that it would get: 22, unless another program of the host listens on port 22 of every
  /// address.
  func sshPort(of machine: UUID) -> Int

  /// The ports of the machine's own address that do not lead to it at the moment, because other programs of the host
  /// use them.
  func lostPorts(of machine: UUID) -> [Int]

  /// The ports of the host that are forwarded to the machine; nil if there are none, because its own address can be
  /// reached from everywhere, or from nowhere.
  func forwarding(to machine: UUID) -> PortForwarding.Share?

  /// Whether the host's network can enforce firewalls. If not, every firewall is accepted, and none has an effect.
  var enforcesFirewalls: Bool { get }

  /// What servers may reserve of the host in total; nil for no limit.
  func capacity() async throws -> HostCapacity?

  /// Prepares the named image for a disk of this many GiB. If the host has to fetch it first, that goes on in the
  /// background: call again until it is ready. Throws `notFound` if there is no such image to be had, and `rejected` if
  /// no disk of that size can be made from it.
  func prepareImage(_ name: String, storageGiB: Int) async throws -> ImagePreparation

  /// Why an image is not there, from memory alone; nil if it is there, or if nobody has tried to fetch it.
  func knownAbsence(ofImage name: String) -> ImageAbsence?

  /// Whether nothing else on the host uses the address, as far as a test can tell. An address that this machine itself
  /// uses counts as free.
  func isAddressFree(_ address: ServerAddress, for machine: UUID) async throws -> Bool

  /// Makes the disk and the definition that the specification describes. With a rescue system, the machine boots that,
  /// with its own disk attached; without one, any rescue disk is removed once the machine is off. A running machine
  /// goes on, and uses the definition from its next start; only its firewall is applied at once. An existing disk is
  /// never replaced or shrunk.
  func ensureDefined(_ specification: MachineSpecification) async throws

  /// Checks, without changing anything, that the machine could boot the rescue system. Throws `notFound` if its own
  /// disk or the image is missing, `rejected` if no rescue system can be made of the image, and `exhausted` if the host
  /// has no room for it.
  func requireRescuable(_ machine: UUID, by rescue: RescueSpecification) async throws

  /// Starts a defined machine; a running one is left alone.
  func start(_ machine: UUID) async throws

  /// Resumes a paused machine, if the reason for the pause is gone; any other machine is left alone. Throws `exhausted`
  /// while the host has no room for its disk.
  func resume(_ machine: UUID) async throws

  /// Asks the guest to shut down, and returns without waiting for it. A machine that is off is left alone.
  func requestShutdown(_ machine: UUID) async throws

  /// Cuts the power. A machine that is off is left alone.
  func powerOff(_ machine: UUID) async throws

  /// How far the guest's present boot has come.
  func readiness(of machine: UUID) async throws -> Readiness

  /// Configures the addresses of the network card in a running guest; the host learns of them with the definition. Does
  /// nothing while the machine has the addresses that it was made with. Throws `busy` or `unreachable` if the guest
  /// does not answer, and `rejected` if it does not support this.
  func applyAddresses(of interface: NetworkInterface, to machine: UUID) async throws

  /// Whether guests of the image's current version carry out user data. Throws `notFound` if there is no such image.
  func takesUserData(_ image: String) async throws -> Bool

  /// The result of the user data in a running guest. Throws `busy` or `unreachable` if the guest does not answer.
  func userDataOutcome(of machine: UUID) async throws -> UserDataOutcome

  /// Sets the password of a user account in a running guest, given as its crypt(3) hash. Throws `busy` or `unreachable`
  /// if the guest does not answer, and `rejected` if it does not support this.
  func setPassword(hash: String, of account: String, in machine: UUID) async throws

  /// Sets a new hostname in a running guest. Throws `busy` or `unreachable` if the guest does not answer.
  func applyHostname(_ hostname: Hostname, to machine: UUID) async throws

  /// Replaces the machine's whole firewall, and returns once it is in force. Connections that are still allowed are not
  /// disturbed; others end. A machine that is off starts with the new firewall. An absent one is left alone: it gets
  /// its firewall with its definition.
  ///
  /// - Parameter allowance: Takes effect together with the firewall.
  func applyFirewall(_ firewall: Firewall, _ allowance: NetworkAllowance, to machine: UUID) async throws

  /// Applies these limits to a running machine at once, as far as the host can; any other machine is left alone and
  /// gets them with its definition.
  func applyLimits(_ limits: ResourceLimits, to machine: UUID) async throws

  /// Opens a new connection to the screen and the keyboard of a running machine. Throws `rejected` if it does not run
  /// or has no screen.
  func openConsole(of machine: UUID) async throws -> ConsoleConnection

  /// Makes a standalone copy of the machine's disk as it is at one moment, in the background, and returns the progress:
  /// call again until it is done. The machine may be running (its file systems are frozen through the guest, if that
  /// answers) or off. Throws `rejected` while a rescue system runs. A complete copy is left alone; a partial one, left
  /// by a process that died, is made anew. If the work fails, the next call throws and leaves nothing; the call after
  /// that begins anew.
  func ensureCopied(_ machine: UUID, as copy: UUID) async throws -> CopyProgress

  /// Replaces the disk of a machine that is off with the content of the copy, in the background, and returns the
  /// progress: call again until it is done. Throws `notFound` if there is no such copy, and `rejected` if its checksum
  /// is wrong or the machine runs; the disk is unchanged then. Starting the machine aborts the work.
  func ensureRestored(_ machine: UUID, from copy: UUID, checksum: String) async throws -> RestoreProgress

  /// Aborts every restore of this machine's disk that is under way, so that it changes nothing any more, and returns
  /// whether the one from this copy was done nevertheless. Throws `busy` while it does not end.
  func endRestore(of machine: UUID, from copy: UUID) async throws -> Bool

  /// Removes a copy, even a partial one, and aborts work on it; one that is absent is no error.
  func ensureCopyAbsent(_ copy: UUID, of machine: UUID) async throws

  /// Removes the disk of a machine that is off, so that the next definition makes a new one; an absent disk is no
  /// error. Throws `rejected` if the machine runs. Its copies stay.
  func ensureDiskAbsent(_ machine: UUID) async throws

  /// Removes the machine, its disk, its copies and everything else of it, in any state; what is absent is no error.
  func ensureAbsent(_ machine: UUID) async throws

  /// The power state of one machine.
  func power(of machine: UUID) async throws -> MachinePower

  /// Every machine on this host that bears this installation's mark, and every remnant of one.
  func observe() async throws -> MachineObservation

  /// An element whenever something happened to a machine. Only a hint: elements may be missing or superfluous, and
  /// `observe` tells the truth.
  func events() -> AsyncStream<Void>
}

/// How long to wait for machines of this driver.
package struct MachineTiming: Sendable, Equatable {
  /// From power on until the guest is ready.
  package let bootDeadline: Duration
  /// From the request to shut down until the power is cut.
  package let shutdownDeadline: Duration
  /// Between two checks of a guest that is not ready.
  package let pollInterval: Duration
  /// How many guests of the host may boot at the same time; nil for any number.
  package let bootsAtOnce: Int?
  /// For a copy of a disk, or a restore, from beginning to end.
  package let copyDeadline: Duration
  /// A host that has not answered for so long is away.
  package let longestSilence: Duration

  package init(
    bootDeadline: Duration, shutdownDeadline: Duration, pollInterval: Duration, bootsAtOnce: Int? = nil,
    copyDeadline: Duration = .seconds(600), longestSilence: Duration = Host.longestSilence
  ) {
    self.bootDeadline = bootDeadline
    self.shutdownDeadline = shutdownDeadline
    self.pollInterval = pollInterval
    self.bootsAtOnce = bootsAtOnce
    self.copyDeadline = copyDeadline
    self.longestSilence = longestSilence
  }

  /// The same timing with a minute more for each GiB that is copied.
  package func copying(storageGiB: Int) -> MachineTiming {
    MachineTiming(
      bootDeadline: bootDeadline, shutdownDeadline: shutdownDeadline, pollInterval: pollInterval,
      bootsAtOnce: bootsAtOnce, copyDeadline: copyDeadline + .seconds(60 * storageGiB), longestSilence: longestSilence)
  }
}

/// What servers may reserve of a host in total, including overcommitment.
package struct HostCapacity: Sendable, Equatable {
  package let vcpus: Int
  package let memoryMiB: Int
  package let storageGiB: Int

  package init(vcpus: Int, memoryMiB: Int, storageGiB: Int) {
    self.vcpus = vcpus
    self.memoryMiB = memoryMiB
    self.storageGiB = storageGiB
  }
}

package struct MachineSpecification: Sendable, Equatable {
  package let machine: UUID
  /// A name for people who look at the host: `server-12345`.
  package let label: String
  package let hostname: Hostname
  package let vcpus: Int
  package let memoryMiB: Int
  package let storageGiB: Int
  package let imageName: String
  package let imageVersion: String
  package let limits: ResourceLimits
  package let interface: NetworkInterface
  /// Takes effect before the machine's first packet passes.
  package let firewall: Firewall
  package let allowance: NetworkAllowance
  package let authorizedKey: String?
  /// The crypt(3) hash of the root password; if it is set, password login is enabled.
  package let rootPasswordHash: String?
  /// False for a server that has had a disk: then a missing disk is an error, and is never replaced by a new, empty
  /// one.
  package let mayCreateDisk: Bool
  /// The user data for the first boot of the disk.
  package let userData: String?
  /// Nil if the machine boots its own system.
  package let rescue: RescueSpecification?

  package init(
    machine: UUID, label: String, hostname: Hostname, vcpus: Int, memoryMiB: Int, storageGiB: Int, imageName: String,
    imageVersion: String, limits: ResourceLimits? = nil, interface: NetworkInterface, firewall: Firewall = .disabled,
    allowance: NetworkAllowance = .standard,
    authorizedKey: String?, rootPasswordHash: String?, mayCreateDisk: Bool, userData: String? = nil,
    rescue: RescueSpecification? = nil
  ) {
    self.machine = machine
    self.label = label
    self.hostname = hostname
    self.vcpus = vcpus
    self.memoryMiB = memoryMiB
    self.storageGiB = storageGiB
    self.imageName = imageName
    self.imageVersion = imageVersion
    self.limits = limits ?? .standard(vcpus: vcpus)
    self.interface = interface
    self.firewall = firewall
    self.allowance = allowance
    self.authorizedKey = authorizedKey
    self.rootPasswordHash = rootPasswordHash
    self.mayCreateDisk = mayCreateDisk
    self.userData = userData
    self.rescue = rescue
  }
}

/// A system that a machine boots instead of its own.
package struct RescueSpecification: Sendable, Equatable {
  package let imageName: String
  package let imageVersion: String
  package let storageGiB: Int
  package let authorizedKey: String?
  package let rootPasswordHash: String?
  /// False for a rescue system that has booted before: then a missing disk is an error.
  package let mayCreateDisk: Bool

  package init(
    imageName: String, imageVersion: String, storageGiB: Int, authorizedKey: String?, rootPasswordHash: String?,
    mayCreateDisk: Bool
  ) {
    self.imageName = imageName
    self.imageVersion = imageVersion
    self.storageGiB = storageGiB
    self.authorizedKey = authorizedKey
    self.rootPasswordHash = rootPasswordHash
    self.mayCreateDisk = mayCreateDisk
  }
}

package enum UserDataOutcome: Sendable, Equatable {
  case underWay
  case succeeded
  case failed
  /// The guest cannot tell, and never will.
  case unknowable
}

package struct Readiness: Sendable, Equatable {
  /// This boot's sshd sent its banner.
  package let hasSSHBanner: Bool
  /// The guest agent answered; false where it was not asked, because the banner alone counts.
  package let hasAgent: Bool
  /// The memory of a template replaced the first boot of its disk.
  package let isInstant: Bool

  package init(hasSSHBanner: Bool, hasAgent: Bool, isInstant: Bool = false) {
    self.hasSSHBanner = hasSSHBanner
    self.hasAgent = hasAgent
    self.isInstant = isInstant
  }
}

package enum CopyProgress: Sendable, Equatable {
  case underWay
  case done(CopiedDisk)
}

/// A complete copy.
package struct CopiedDisk: Sendable, Equatable {
  /// The size of its file.
  package let sizeBytes: Int64
  /// SHA-256 of its file, in lowercase hexadecimal.
  package let checksum: String

  package init(sizeBytes: Int64, checksum: String) {
    self.sizeBytes = sizeBytes
    self.checksum = checksum
  }
}

package enum RestoreProgress: Sendable, Equatable {
  case underWay, done
}

package enum MachinePower: Sendable, Equatable {
  package enum OffCause: Sendable, Equatable {
    /// The guest was observed to shut itself down.
    case guestShutdown
    /// Anything else: a crash, a killed process, a host that restarted, a power switch.
    case other
    /// Not known, now or ever. No server is started or stopped because of it.
    case unknown
  }

  case running
  /// It runs but executes nothing: the host's disk was full, or an operator paused it.
  case paused
  case off(OffCause)
  /// Files, addresses or disk copies of it are left, but no machine that could be started.
  case remnant
  case absent
  /// The machine exists, but the part of the host that runs it does not answer.
  case unreachable
  /// The machine exists, in a state that the driver does not understand.
  case unknown

  /// Whether the machine is powered on, so that a shutdown would have to end it.
  package var isOn: Bool { self == .running || self == .paused }
}

/// The closed set of ways in which a driver fails; the kind says whether trying again can help.
package struct DriverError: Error, Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    /// The machine, image or disk is not there. Trying again does not help.
    case notFound
    /// Something else is going on with it. Trying again helps.
    case busy
    /// The hypervisor or the guest does not answer. Trying again may help.
    case unreachable
    /// The request cannot be carried out as it is. Trying again does not help.
    case rejected
    /// The host has no room for it: disk, memory, address. Trying again helps once there is room.
    case exhausted
  }

  package let kind: Kind
  /// For the operator's log.
  package let detail: String
  /// What the customer may know, in a full sentence.
  package let customerReason: String?

  package init(_ kind: Kind, _ detail: String, customerReason: String? = nil) {
    self.kind = kind
    self.detail = detail
    self.customerReason = customerReason
  }

  package var isWorthRetrying: Bool {
    switch kind {
    case .busy, .unreachable, .exhausted: true
    case .notFound, .rejected: false
    }
  }
}
