package import Foundation

/// One host: where machines are made and run. Every method is safe to repeat, at any point of a machine's life, and after a process
/// died in the middle of it; none knows HTTP or SQL. Machines outlive the process that made them.
///
/// All methods throw `DriverError` and nothing else.
package protocol ComputeDriver: Sendable {
  var timing: MachineTiming { get }

  /// The port of the machine's own address that leads to its sshd, as it was started; of one that does not run, as it would
  /// be: 22, unless something on the host holds that everywhere.
  func sshPort(of machine: UUID) -> Int

  /// The ports of the machine's own address that do not lead to it at the moment, because another program of the host has them.
  func lostPorts(of machine: UUID) -> [Int]

  /// The ports of the host that lead to the machine; nil where everybody reaches its own address, or nobody does.
  func forwarding(to machine: UUID) -> PortForwarding.Share?

  /// Whether the host's network can hold machines to their firewalls. Where it cannot, every firewall is accepted, and none has
  /// an effect.
  var enforcesFirewalls: Bool { get }

  /// What the host can carry in all; nil where there is no bound.
  func capacity() async throws -> HostCapacity?

  /// Makes the named image ready for a disk of so many GiB. One that the host has yet to fetch is fetched meanwhile: asked again
  /// until it is ready. Throws `notFound` where there is none, and none can be had, and `rejected` where no disk of that size
  /// could be made from it.
  func prepareImage(_ name: String, storageGiB: Int) async throws -> ImagePreparation

  /// What is known of an image that is not there, without a look at anything; nil where it is, or nobody has tried.
  func knownAbsence(ofImage name: String) -> ImageAbsence?

  /// Whether nothing else on the host holds the address, as far as can be told by trying. An address that this machine
  /// itself holds is free for it.
  func isAddressFree(_ address: ServerAddress, for machine: UUID) async throws -> Bool

  /// Makes disk and definition what the specification says: with a rescue system the machine starts that, and has its own disk
  /// beside it; without one, what there was of one is gone when the machine is off. A running machine goes on as it is, and takes the definition
  /// at its next start; only its firewall is applied at once. A disk that exists is never replaced or shrunk.
  func ensureDefined(_ specification: MachineSpecification) async throws

  /// Sees, and changes nothing, that the machine could be made one that starts the rescue system. Throws `notFound` where its
  /// own disk or the image is not there, `rejected` where no rescue system can be made of the image, and `exhausted` where the
  /// host has no room for it.
  func requireRescuable(_ machine: UUID, by rescue: RescueSpecification) async throws

  /// Starts a defined machine; one that runs is left alone.
  func start(_ machine: UUID) async throws

  /// Lets a paused machine go on, where what it waits for is there; any other is left alone. Throws `exhausted` while the host
  /// has no room for it.
  func resume(_ machine: UUID) async throws

  /// Asks the guest to shut down, and returns without waiting for it. A machine that is off is left alone.
  func requestShutdown(_ machine: UUID) async throws

  /// Takes the power away. A machine that is off is left alone.
  func powerOff(_ machine: UUID) async throws

  /// How far this boot of the guest has come.
  func readiness(of machine: UUID) async throws -> Readiness

  /// Brings the addresses of its card into a running guest; the host has them with the definition. Where the guest's network
  /// knows nothing of them, nothing is done. Throws `busy` or `unreachable` where the guest does not answer, and `rejected` where
  /// it does not know how.
  func applyAddresses(of interface: NetworkInterface, to machine: UUID) async throws

  /// Whether a guest of the image's current version does what its user data says. Throws `notFound` where there is no image.
  func takesUserData(_ image: String) async throws -> Bool

  /// What came of the user data in a guest that runs. Throws `busy` or `unreachable` where the guest does not answer.
  func userDataOutcome(of machine: UUID) async throws -> UserDataOutcome

  /// Gives an account of a running guest another password, by its crypt(3). Throws `busy` or `unreachable` where the guest
  /// does not answer, and `rejected` where it does not know how.
  func setPassword(hash: String, of account: String, in machine: UUID) async throws

  /// Brings a new hostname into a running guest. Throws `busy` or `unreachable` where the guest does not answer.
  func applyHostname(_ hostname: Hostname, to machine: UUID) async throws

  /// Puts the firewall in the place of the one that the machine has, as a whole, and returns once it is in force. What is still
  /// allowed goes on undisturbed; a connection that no longer is ends. A machine that is off starts behind it; one that is
  /// absent is left alone, and brings its firewall with its definition.
  ///
  /// - Parameter allowance: Is in force with it.
  func applyFirewall(_ firewall: Firewall, _ allowance: NetworkAllowance, to machine: UUID) async throws

  /// Holds a running machine to these from now on, as far as the host can; any other is left alone, and brings them with its
  /// definition.
  func applyLimits(_ limits: ResourceLimits, to machine: UUID) async throws

  /// A new connection to the screen and the keyboard of a running machine. Throws `rejected` where it does not run, or has no
  /// screen.
  func openConsole(of machine: UUID) async throws -> ConsoleConnection

  /// Works on a standalone copy of the machine's disk as it is at one moment (`rejected` while a rescue system runs), whether the machine runs (its file systems
  /// frozen through the guest where that answers) or is off, and says how far it is: asked again until done. A copy that is
  /// there whole is left alone; half of one, left by a process that died, is begun anew. Work that fails throws at the next
  /// call, and leaves nothing; the call after that begins anew.
  func ensureCopied(_ machine: UUID, as copy: UUID) async throws -> CopyProgress

  /// Puts what is in the copy in the place of the disk of a machine that is off, and says how far it is: asked again until
  /// done. Throws `notFound` where there is no such copy, and `rejected` where it is not what was written (its checksum) or
  /// the machine runs; then the disk is as it was. A start ends work that is under way.
  func ensureRestored(_ machine: UUID, from copy: UUID, checksum: String) async throws -> RestoreProgress

  /// Removes a copy, or half of one, and ends work on it; what is absent already is fine.
  func ensureCopyAbsent(_ copy: UUID, of machine: UUID) async throws

  /// Removes the disk of a machine that is off, so that the next definition makes a new one; what is absent already is fine.
  /// Throws `rejected` where the machine runs. Its copies stay.
  func ensureDiskAbsent(_ machine: UUID) async throws

  /// Removes machine, disk, copies and all that belongs to it, whatever its state; what is absent already is fine.
  func ensureAbsent(_ machine: UUID) async throws

  /// The power state of one machine.
  func power(of machine: UUID) async throws -> MachinePower

  /// Every machine, and every remnant of one, that bears this installation's mark and is on this host.
  func observe() async throws -> MachineObservation

  /// Something happened to a machine. A hint only: an element may be missing or too many, and `observe` has the truth.
  func events() -> AsyncStream<Void>
}

/// How patient to be with machines of this driver.
package struct MachineTiming: Sendable, Equatable {
  /// From power on to a guest that is ready.
  package let bootDeadline: Duration
  /// From the request to shut down to the loss of power.
  package let shutdownDeadline: Duration
  /// Between two looks at a guest that is not ready.
  package let pollInterval: Duration
  /// How many guests the host can carry through their boot at the same time; nil for any number.
  package let bootsAtOnce: Int?
  /// From the beginning of a copy of a disk, or of a restore, to its end.
  package let copyDeadline: Duration

  package init(
    bootDeadline: Duration, shutdownDeadline: Duration, pollInterval: Duration, bootsAtOnce: Int? = nil,
    copyDeadline: Duration = .seconds(600)
  ) {
    self.bootDeadline = bootDeadline
    self.shutdownDeadline = shutdownDeadline
    self.pollInterval = pollInterval
    self.bootsAtOnce = bootsAtOnce
    self.copyDeadline = copyDeadline
  }

  /// The same, with a minute more for each gibibyte that is to be copied.
  package func copying(storageGiB: Int) -> MachineTiming {
    MachineTiming(
      bootDeadline: bootDeadline, shutdownDeadline: shutdownDeadline, pollInterval: pollInterval,
      bootsAtOnce: bootsAtOnce, copyDeadline: copyDeadline + .seconds(60 * storageGiB))
  }
}

/// What servers may take of a host in all, overcommitment included.
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
  /// For people who look at the host: `server-12345`.
  package let label: String
  package let hostname: Hostname
  package let vcpus: Int
  package let memoryMiB: Int
  package let storageGiB: Int
  package let imageName: String
  package let imageVersion: String
  package let limits: ResourceLimits
  package let interface: NetworkInterface
  /// In force before the machine's first packet passes.
  package let firewall: Firewall
  package let allowance: NetworkAllowance
  package let authorizedKey: String?
  /// crypt(3) of the root password; with it, password login is on.
  package let rootPasswordHash: String?
  /// False for a server that had a disk before: then a missing one is an error, and never a new, empty disk.
  package let mayCreateDisk: Bool
  /// What the first boot of its disk is to do.
  package let userData: String?
  /// Nil for the machine's own system.
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

/// A system that runs in the place of a machine's own.
package struct RescueSpecification: Sendable, Equatable {
  package let imageName: String
  package let imageVersion: String
  package let storageGiB: Int
  package let authorizedKey: String?
  package let rootPasswordHash: String?
  /// False for one that has booted: then a missing disk is an error.
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
  /// The guest will never tell.
  case unknowable
}

package struct Readiness: Sendable, Equatable {
  /// This boot's sshd sent its banner.
  package let hasSSHBanner: Bool
  /// The guest agent answered.
  package let hasAgent: Bool

  package init(hasSSHBanner: Bool, hasAgent: Bool) {
    self.hasSSHBanner = hasSSHBanner
    self.hasAgent = hasAgent
  }
}

package enum CopyProgress: Sendable, Equatable {
  case underWay
  case done(CopiedDisk)
}

/// A copy that is whole.
package struct CopiedDisk: Sendable, Equatable {
  /// What its file takes.
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
    /// The guest was seen to shut itself down.
    case guestShutdown
    /// Anything else: a crash, a killed process, a host that restarted, a power switch.
    case other
    /// Not known yet, or never to be known. Nobody starts or stops a server for it.
    case unknown
  }

  case running
  /// It runs, but does not execute: the host's disk was full, or an operator paused it.
  case paused
  case off(OffCause)
  /// Files, addresses or copies of its disk are left of it, but no machine that could be started.
  case remnant
  case absent
  /// There is such a machine, but the part of the host that runs it does not answer.
  case unreachable
  /// There is such a machine, in a state that has no meaning here.
  case unknown

  /// Whether it holds the power that a shutdown would end.
  package var isOn: Bool { self == .running || self == .paused }
}

/// What was seen of a host's machines in one look. That one is not in it says nothing about any other host.
package struct MachineObservation: Sendable, Equatable {
  package var powers: [UUID: MachinePower]
  /// Of those that run, as far as it could be measured.
  package var usage: [UUID: MachineUsage]

  package init(powers: [UUID: MachinePower], usage: [UUID: MachineUsage] = [:]) {
    self.powers = powers
    self.usage = usage
  }

  package func power(of machine: UUID) -> MachinePower { powers[machine] ?? .absent }
}

/// Counters and levels of a running machine. What could not be measured is nil.
package struct MachineUsage: Sendable, Equatable {
  /// Host CPU time since power on, in nanoseconds.
  package let cpuNanoseconds: Int64
  package let memoryUsedMiB: Int?
  package let diskUsedBytes: Int64?
  package let network: NetworkCounters?

  package init(cpuNanoseconds: Int64, memoryUsedMiB: Int?, diskUsedBytes: Int64?, network: NetworkCounters?) {
    self.cpuNanoseconds = cpuNanoseconds
    self.memoryUsedMiB = memoryUsedMiB
    self.diskUsedBytes = diskUsedBytes
    self.network = network
  }
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
