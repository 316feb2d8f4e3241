import Core
import Foundation

/// What a step works with: the server as it is now, and access to host and store.
struct StepContext: Sendable {
  let server: Server
  let plan: Plan
  let operatingSystem: OperatingSystem
  let catalogue: Catalogue
  let lease: Lease
  let now: Timestamp
  /// Since the first try of the step, without the time in which it was due and waited to be run.
  let elapsed: Duration
  /// The time since the guest's agent first answered in this step. To be called only when the agent answers now.
  let agentAnswers: @Sendable () -> Duration
  let driver: any ComputeDriver
  let fleet: Fleet
  let store: any OperationStore & FirewallStore
  let addressPools: AddressPools
  let bootSlots: FairAdmission
  let copySlots: FairAdmission
  let copiesAtOnce: Int
  let key: InstallationKey

  var machine: UUID { server.uuid }
}

// MARK: - What several workflows do

extension StepContext {
  /// The driver's timeouts, adapted to the size of this server's disk.
  var timing: MachineTiming { driver.timing.copying(storageGiB: plan.storageGiB) }

  /// The disk copy that the operation is about; nil where it no longer exists.
  func diskCopy() async throws -> DiskCopy? {
    guard let id = lease.operation.subjectID else { return nil }
    return try await store.diskCopy(ID(id))
  }

  /// How many addresses are tried in one run of a step, if something else on the host uses them.
  private static let maximumAddressesTried = 16

  /// Replaces the server's first address of this family until nothing else uses it; throws where no address is free.
  func claim(_ family: ServerAddress.Family, _ first: ServerAddress?, of pools: AddressPools.Pair) async throws {
    var address = first
    for _ in 0..<Self.maximumAddressesTried {
      if let address, try await driver.isAddressFree(address, for: machine) { return }
      address = try await store.replaceAddress(family, of: server.id, pools: pools, lease: lease, at: now)
      if address == nil { break }
    }
    let pool = family == .ipv4 ? pools.ipv4.description : pools.ipv6?.description ?? "IPv6"
    throw DriverError(
      .exhausted, "No address of \(pool) is free.", customerReason: "No free address was found.")
  }

  func acquireCopySlot() -> Bool {
    copySlots.take(for: server, lease.operation.id, atOnce: copiesAtOnce)
  }

  /// - Parameter newPlan: The plan to define the machine by, instead of the server's.
  func ensureDefined(as newPlan: Plan? = nil) async throws {
    let rescue = server.machine.enteredRescue
    try await ensureDefined(as: newPlan, in: try rescue.map { try specification(of: $0, imageVersion: nil) })
  }

  /// - Parameter rescue: The rescue system to boot; nil for the server's own system.
  func ensureDefined(as newPlan: Plan? = nil, in rescue: RescueSpecification?) async throws {
    let plan = newPlan ?? plan
    guard let imageVersion = server.machine.imageVersion else {
      throw WorkflowFailure(
        customerReason: "The server could not be prepared.", operatorDetail: "It has no image.")
    }
    let userData = try await userData()
    // No start comes before this definition is recorded, so the disk that is removed has not booted since the rebuild.
    if server.machine.awaitsNewDisk { try await driver.ensureDiskAbsent(machine) }
    let firewall = try await storedFirewall()
    try await driver.ensureDefined(
      MachineSpecification(
        machine: machine, label: "server-\(server.id)", hostname: server.hostname, vcpus: plan.vcpus,
        memoryMiB: plan.memoryMiB, storageGiB: plan.storageGiB, imageName: operatingSystem.imageName,
        imageVersion: imageVersion, limits: plan.limits,
        interface: try networkInterface(),
        firewall: firewall.firewall,
        allowance: newPlan.map { firewall.allowance(portSpeedMbit: $0.portSpeedMbit) } ?? firewall.allowance,
        authorizedKey: server.machine.authorizedKey,
        rootPasswordHash: server.machine.rootPasswordHash,
        mayCreateDisk: !server.machine.hasDisk || server.machine.awaitsNewDisk, userData: userData,
        rescue: rescue))
    // The host no longer uses addresses that the specification lacks; the store may now release them.
    if !server.addresses.isApplied {
      try await store.recordAddresses(server.addresses, of: server.id, lease: lease, at: now)
    }
    try await catchUp(with: firewall)
  }

  func networkInterface() throws -> NetworkInterface {
    guard let address = server.address else {
      throw WorkflowFailure(
        customerReason: "The server could not be prepared.", operatorDetail: "It has no address.")
    }
    return NetworkInterface(
      address: address, furtherAddresses: Array(server.addresses.ipv4.dropFirst()), ipv6Networks: server.addresses.ipv6,
      revision: server.addresses.revision, hardwareAddress: server.machine.hardwareAddress)
  }

  func requestedRescue() throws -> Rescue {
    guard let rescue = server.machine.rescue else {
      throw WorkflowFailure(
        customerReason: "The rescue system could not be booted.", operatorDetail: "Nobody asks for one any more.")
    }
    return rescue
  }

  /// - Parameter imageVersion: The version to enter the rescue system with; nil for the one in `rescue`.
  func specification(of rescue: Rescue, imageVersion: String?) throws -> RescueSpecification {
    guard let version = imageVersion ?? rescue.imageVersion else {
      throw WorkflowFailure(
        customerReason: "The rescue system could not be booted.", operatorDetail: "It has no image.")
    }
    return RescueSpecification(
      imageName: Rescue.imageName, imageVersion: version, storageGiB: Rescue.storageGiB,
      authorizedKey: rescue.authorizedKey, rootPasswordHash: rescue.rootPasswordHash,
      mayCreateDisk: rescue.awaitsFirstBoot)
  }

  /// Nil where there is none. If it cannot be decrypted, a first boot fails; later boots do not need it any more.
  private func userData() async throws -> String? {
    guard let sealed = try await store.sealedUserData(of: server.id) else { return nil }
    if let text = key.open(userData: sealed, of: machine) { return text }
    guard server.machine.awaitsFirstBoot else { return nil }
    throw WorkflowFailure(
      customerReason: "The server's user data cannot be read: rebuild it with the same again.",
      operatorDetail: "The user data was sealed with another key than that of this installation, secret.key.")
  }

  /// Throws where the image ignores user data. Called before anything is changed.
  func requireUserData(of system: OperatingSystem) async throws {
    guard try await !driver.takesUserData(system.imageName) else { return }
    throw WorkflowFailure(
      customerReason: "The operating system takes no user data.",
      operatorDetail: "The image \(system.imageName) has no cloud-init.")
  }

  func prepareRescueImage() async throws -> String {
    do {
      guard case .ready(let version) = try await driver.prepareImage(Rescue.imageName, storageGiB: Rescue.storageGiB)
      else { throw DriverError(.unreachable, "The image of the rescue system is being fetched.") }
      return version
    } catch let error as DriverError where error.kind == .notFound {
      throw DriverError(
        .notFound, error.detail, customerReason: "The rescue system is not installed on this server's host.")
    }
  }

  private func storedFirewall() async throws -> ServerFirewall {
    guard let firewall = try await store.firewall(of: server.id) else {
      throw Failure.internalError("The server of an operation is erased.")
    }
    return firewall
  }

  /// A newer firewall may have been applied before this definition brought an older one. So after a definition the revision is
  /// compared with the store's, and the newest firewall is applied.
  private func catchUp(with defined: ServerFirewall) async throws {
    guard driver.enforcesFirewalls else { return }
    var inForce = defined
    while true {
      let newest = try await storedFirewall()
      guard newest.revision > inForce.revision else { return }
      try await driver.applyFirewall(newest.firewall, newest.allowance, to: machine)
      inForce = newest
    }
  }

  /// How often to look at an image that the host is fetching, which takes minutes.
  static let fetchInterval = Duration.seconds(2)

  /// Prepares the image for a disk of the size that the server has.
  func prepareImage(of system: OperatingSystem) async throws -> ImagePreparation {
    try await driver.prepareImage(system.imageName, storageGiB: plan.storageGiB)
  }

  /// The subject of an operation whose subject is an operating system.
  func newSystem() throws -> OperatingSystem {
    guard let system = lease.operation.subjectID.flatMap({ catalogue.operatingSystem(ID($0)) }) else {
      throw WorkflowFailure(
        customerReason: "There is no such operating system any more.", operatorDetail: "It is not in the catalogue.")
    }
    return system
  }

  /// The subject of an operation whose subject is a plan.
  func newPlan() throws -> Plan {
    guard let plan = lease.operation.subjectID.flatMap({ catalogue.plan(ID($0)) }) else {
      throw WorkflowFailure(
        customerReason: "There is no such plan any more.", operatorDetail: "It is not in the catalogue.")
    }
    return plan
  }

  func requireMachine() throws {
    guard server.machine.hasDisk else {
      throw WorkflowFailure(
        customerReason: Failure.neverCreated.message, operatorDetail: "There is no machine that could be changed.")
    }
  }

  func acquireBootSlot() -> Bool {
    bootSlots.take(for: server, lease.operation.id, atOnce: driver.timing.bootsAtOnce)
  }

  /// The step that waits for the end of a boot. The first boot of a disk sets up its system, so only the banner of its sshd
  /// counts; later boots also end when the agent has answered for `longestWayToLogin`. While the host has the machine paused,
  /// the step's timeout does not run.
  func awaitReady<Step>() async throws -> StepResult<Step> {
    bootSlots.occupy(server)
    switch try await driver.power(of: machine) {
    case .running: break
    case .paused:
      try? await driver.resume(machine)
      return .held()
    case .unreachable, .unknown: throw cannotBeSeen
    case .off, .remnant, .absent:
      try await driver.start(machine)
      throw DriverError(.unreachable, "The machine went off while it booted; it was started again.")
    }
    let readiness = try await driver.readiness(of: machine)
    if readiness.hasSSHBanner { return .done(readiness.isInstant ? .becameActiveInstantly : .becameActive) }
    guard !awaitsFirstBoot, readiness.hasAgent else { return .wait }
    return agentAnswers() >= Self.longestWayToLogin ? .done(.becameActive) : .wait
  }

  /// Whether the system that is booting, the rescue system or the server's own, has never finished a boot.
  private var awaitsFirstBoot: Bool {
    server.machine.enteredRescue?.awaitsFirstBoot ?? server.machine.awaitsFirstBoot
  }

  /// How long after its agent a guest's sshd may come up. After that it is turned off, or listens elsewhere.
  private static let longestWayToLogin = Duration.seconds(20)

  /// At the timeout of a boot: a server whose disk has booted before may have its sshd turned off, and counts as running.
  /// Throws otherwise.
  func acceptRunningUnlessFirstBoot() async throws {
    guard !awaitsFirstBoot, try await driver.power(of: machine) == .running else {
      throw WorkflowFailure(
        customerReason: "The server did not become reachable in time.",
        operatorDetail: "No SSH banner from \(server.address.map(String.init(describing:)) ?? "no address").")
    }
  }

  func isOff() async throws -> Bool {
    switch try await driver.power(of: machine) {
    case .off, .absent, .remnant: true
    case .running, .paused: false
    case .unreachable, .unknown: throw cannotBeSeen
    }
  }

  private var cannotBeSeen: DriverError { DriverError(.unreachable, "Nobody can tell whether the machine runs.") }
}
