package import Core
package import Foundation
import Synchronization

/// Machines that exist on paper only, for those who write a client or a test. They take their time by the clock they are
/// given, outlive the process in files under the data directory, and fail on demand.
package final class SimulatedDriver: ComputeDriver {
  package struct Options: Sendable {
    package var timing = MachineTiming(
      bootDeadline: .seconds(60), shutdownDeadline: .seconds(30), pollInterval: .milliseconds(300))
    /// From power on to a guest that answers.
    package var bootDuration: Duration = .milliseconds(600)
    /// From the request to shut down to the loss of power.
    package var shutdownDuration: Duration = .milliseconds(400)
    /// From the beginning of a copy, or of a restore, to its end.
    package var copyDuration: Duration = .milliseconds(500)
    /// From the first call to the arrival of a machine that comes from another host.
    package var receiptDuration: Duration = .milliseconds(500)
    /// Nil for no limit.
    package var capacity: HostCapacity?
    package var images: Set<String> = ["debian-12"]
    /// What is known of images that the host lacks.
    package var absences: [String: ImageAbsence] = [:]
    /// The smallest disk that can be made from an image.
    package var imageStorageGiB = 1
    /// The addresses that something else on the host uses.
    package var occupiedAddresses: Set<ServerAddress> = []
    /// The port of sshd in machines that are started from now on.
    package var sshPort = 22
    /// The ports that other programs of the host have taken from all running machines.
    package var takenPorts: Set<Int> = []
    /// What the guests of machines that are made from now on do wrong.
    package var quirks: Set<GuestQuirk> = []
    /// Whether the host answers at all.
    package var condition = HostCondition.answers
    /// Whether paused machines cannot be resumed, and rescue systems have no room.
    package var isDiskFull = false
    /// Whether the host enforces the firewalls of machines.
    package var enforcesFirewalls = false
    package var forwarding: PortForwarding?
    /// Whether guests do what their user data says.
    package var takesUserData = true
    /// The power states to report instead of the real ones.
    package var obscured: [UUID: MachinePower] = [:]

    package init() {}

    var durations: GuestDurations { GuestDurations(boot: bootDuration, shutdown: shutdownDuration) }
  }

  package static let imageVersion = "simulated-1"
  private static let maximumCallsKept = 20_000

  let installation: UUID
  let clock: any WallClock
  let home: SimulatedHome
  let isShared: Bool
  /// Nil where the host's disks are its own.
  let storage: SharedStorage?
  let hangingCalls = HangingCalls()
  let consoles = SimulatedConsoles()
  let state: Mutex<State>
  /// Those of the options, for callers who need not wait while a record is written.
  let timings: Mutex<MachineTiming>
  let reading = Mutex<Task<Void, any Error>?>(nil)
  private let listeners = Listeners()

  /// - Parameters:
  ///   - isShared: Whether several services have the host in turn. Then this one does not have it until `takeOver`.
  ///   - storage: Where its disks are, if other hosts reach them too.
  package init(
    installation: UUID, dataDirectory: URL, isShared: Bool = false, storage: SharedStorage? = nil,
    clock: any WallClock = SystemClock(), options: Options = Options(), faults: Faults = Faults()
  ) throws {
    self.installation = installation
    self.isShared = isShared
    self.storage = storage
    self.clock = clock
    timings = Mutex(options.timing)
    home = SimulatedHome(dataDirectory: dataDirectory)
    guard !isShared else {
      state = Mutex(State(options: options, faults: faults))
      return
    }
    // If the host was shared before, its folder is named after a term.
    if let newest = try home.newestTerm(), newest > 0 { try home.move(from: newest, to: 0) }
    let folders = try SimulatedFolders(
      in: home.folder(ofTerm: 0), installation: installation, isShared: false, makes: true, storage: storage)
    var own = State(options: options, faults: faults)
    (own.folders, own.unread) = (folders, folders)
    state = Mutex(own)
  }

  // MARK: ComputeDriver

  package var timing: MachineTiming { timings.withLock { $0 } }

  package func sshPort(of machine: UUID) -> Int {
    state.withLock { state in running(machine, in: &state)?.sshPort ?? state.options.sshPort }
  }

  package func lostPorts(of machine: UUID) -> [Int] {
    state.withLock { state in
      if state.options.takenPorts.isEmpty || running(machine, in: &state) == nil { return [] }
      return state.options.takenPorts.sorted()
    }
  }

  private func running(_ machine: UUID, in state: inout State) -> SimulatedMachine? {
    state.known(machine).flatMap { $0.power(at: clock.now, state.options.durations).isOn ? $0 : nil }
  }

  package func forwarding(to machine: UUID) -> PortForwarding.Share? {
    state.withLock { state in
      guard let forwarding = state.options.forwarding else { return nil }
      let address = state.known(machine)?.definition.flatMap { IPv4Address($0.address) }
      return address.flatMap { forwarding.share(of: $0) }
    }
  }

  package var enforcesFirewalls: Bool { state.withLock { $0.options.enforcesFirewalls } }

  package func capacity() async throws -> HostCapacity? {
    try await perform(.capacity) { state.withLock { $0.options.capacity } }
  }

  package func prepareImage(_ name: String, storageGiB: Int) async throws -> ImagePreparation {
    try await perform(.prepareImage) {
      try state.withLock { state in
        if case .beingFetched = state.options.absences[name] { return .underWay }
        try Self.requireImage(name, storageGiB: storageGiB, in: state.options)
        return .ready(version: Self.imageVersion)
      }
    }
  }

  package func knownAbsence(ofImage name: String) -> ImageAbsence? { state.withLock { $0.options.absences[name] } }

  package func isAddressFree(_ address: ServerAddress, for machine: UUID) async throws -> Bool {
    try await perform(.isAddressFree, machine) {
      let text = address.hostAddress.description
      return state.withLock { state in
        !state.options.occupiedAddresses.contains(address)
          && state.holders[text, default: []].subtracting([machine]).isEmpty
      }
    }
  }

  package func ensureDefined(_ specification: MachineSpecification) async throws {
    try await perform(.ensureDefined, specification.machine) {
      try state.withLock { state in
        var machine =
          state.machines[specification.machine]
          ?? SimulatedMachine(specification.machine, installation: installation, quirks: state.options.quirks)
        guard !machine.isUnderWay else { throw DriverError(.busy, "Machine \(machine.uuid) is still coming here.") }
        if machine.disk == nil { machine.disk = try makeDisk(for: specification, in: state) }
        machine.disk?.grow(toGiB: specification.storageGiB)
        if let rescue = specification.rescue {
          if machine.rescueDisk == nil { machine.rescueDisk = try makeDisk(for: rescue, of: machine, state.options) }
        } else {
          machine.settle(at: clock.now, state.options.durations)
          if machine.boot == nil { machine.rescueDisk = nil }
        }
        machine.definition = SimulatedMachine.Definition(specification)
        if state.options.enforcesFirewalls {
          machine.firewall = specification.firewall
          machine.allowance = specification.allowance
        }
        try save(machine, in: &state)
      }
    }
  }

  package func start(_ machine: UUID) async throws {
    try await perform(.start, machine) {
      let port = state.withLock { $0.options.sshPort }
      try change(machine) { machine, now in try machine.start(at: now, sshPort: port) }
      state.withLock { $0.restoring[machine] = nil }
    }
  }

  package func resume(_ machine: UUID) async throws {
    try await perform(.resume, machine) {
      let isDiskFull = state.withLock { $0.options.isDiskFull }
      try change(machine) { machine, _ in
        guard machine.boot?.pausedAtMilliseconds != nil else { return }
        if isDiskFull {
          throw DriverError(.exhausted, "The disk of the host is full.")
        }
        machine.boot?.pausedAtMilliseconds = nil
      }
    }
  }

  package func requestShutdown(_ machine: UUID) async throws {
    try await perform(.requestShutdown, machine) {
      try change(machine) { machine, now in machine.requestShutdown(at: now) }
    }
  }

  package func powerOff(_ machine: UUID) async throws {
    try await perform(.powerOff, machine) {
      try change(machine) { machine, _ in machine.end(byGuest: false) }
    }
  }

  package func readiness(of machine: UUID) async throws -> Readiness {
    try await perform(.readiness, machine) {
      try state.withLock { state in
        try require(machine, in: state).readiness(at: clock.now, state.options.durations)
      }
    }
  }

  package func applyLimits(_ limits: ResourceLimits, to machine: UUID) async throws {
    try await perform(.applyLimits, machine) {
      try change(machine) { machine, _ in
        let limits = SimulatedMachine.Limits(limits)
        if machine.boot?.definition.limits != limits { machine.boot?.definition.limits = limits }
      }
    }
  }

  package func applyHostname(_ hostname: Hostname, to machine: UUID) async throws {
    try await perform(.applyHostname, machine) {
      let durations = state.withLock { $0.options.durations }
      try change(machine) { machine, now in
        guard machine.readiness(at: now, durations).hasAgent else {
          throw DriverError(.unreachable, "The guest agent of \(machine.uuid) does not answer.")
        }
        machine.boot?.hostname = hostname.name
      }
    }
  }

  package func applyAddresses(of interface: NetworkInterface, to machine: UUID) async throws {
    try await perform(.applyAddresses, machine) {
      let durations = state.withLock { $0.options.durations }
      try change(machine) { machine, now in
        guard machine.readiness(at: now, durations).hasAgent else {
          throw DriverError(.unreachable, "The guest agent of \(machine.uuid) does not answer.")
        }
        machine.boot?.addresses = SimulatedMachine.addresses(of: interface)
      }
    }
  }

  package func applyFirewall(_ firewall: Firewall, _ allowance: NetworkAllowance, to machine: UUID) async throws {
    try await perform(.applyFirewall, machine) {
      try state.withLock { state in
        guard state.options.enforcesFirewalls, var known = state.machines[machine] else { return }
        known.firewall = firewall
        known.allowance = allowance
        try save(known, in: &state)
      }
    }
  }

  package func ensureAbsent(_ machine: UUID) async throws {
    try await perform(.ensureAbsent, machine) {
      try remove(machine)
      try state.withLock { state in
        state.receiving[machine] = nil
        try removeCopies(of: machine, in: &state)
      }
    }
  }

  package func power(of machine: UUID) async throws -> MachinePower {
    try await perform(.power, machine) {
      try state.withLock { state in
        if let told = state.options.obscured[machine] { return told }
        guard let known = state.machines[machine] else {
          return state.copies.values.contains { $0.machine == machine } ? .remnant : .absent
        }
        let power = known.power(at: clock.now, state.options.durations)
        if power == .off(.guestShutdown) { try closeDisk(of: known, in: &state) }
        return power
      }
    }
  }

  package func observe() async throws -> MachineObservation {
    try await perform(.observe) {
      let now = clock.now
      return state.withLock { state in
        let durations = state.options.durations
        var machines = state.machines.mapValues { $0.observed(at: now, durations) }
        for (machine, told) in state.options.obscured where machines[machine] != nil {
          machines[machine] = ObservedMachine(power: told, usage: machines[machine]?.usage)
        }
        for copy in state.copies.values where machines[copy.machine] == nil {
          machines[copy.machine] = ObservedMachine(power: .remnant)
        }
        return MachineObservation(machines: machines)
      }
    }
  }

  package func events() -> AsyncStream<Void> { listeners.listen() }
}

// MARK: Machinery

extension SimulatedDriver {
  /// Every call of the port goes through here: it is recorded, and meets the faults that apply to it.
  func perform<Result>(
    _ method: DriverMethod, _ machine: UUID? = nil, _ work: () throws -> Result
  ) async throws -> Result {
    try requirePower()
    let (condition, effects) = state.withLock { state in
      let call = DriverCall(method, machine)
      if state.calls.count >= Self.maximumCallsKept { state.calls.removeFirst(Self.maximumCallsKept / 2) }
      state.calls.append(call)
      return (state.options.condition, state.faults.take(for: call))
    }
    switch condition {
    case .answers: break
    case .isDead: throw DriverError(.unreachable, "The host does not answer.")
    case .hangs: try await hangingCalls.wait()
    }
    for effect in effects {
      switch effect {
      case .fail(let error): throw error
      case .hang: try await hangingCalls.wait()
      case .before(let hook): await hook()
      case .failAfterwards, .hangAfterwards, .after: continue
      }
    }
    // It may have been lost meanwhile.
    if storage != nil { try requirePower() }
    if Self.needsRecords(method) { try await readRecords() }
    try requireTenure(for: method, machine)
    if let machine { try state.withLock { state in try settleRestore(of: machine, in: &state) } }
    let result = try work()
    for effect in effects {
      switch effect {
      case .failAfterwards(let error): throw error
      case .hangAfterwards: try await hangingCalls.wait()
      case .after(let hook): await hook()
      case .fail, .hang, .before: continue
      }
    }
    return result
  }

  /// Changes one machine on disk and in memory, or neither.
  func change(_ uuid: UUID, _ body: (inout SimulatedMachine, Timestamp) throws -> Void) throws {
    try state.withLock { state in
      try state.readRecords()
      let now = clock.now
      var machine = try require(uuid, in: state)
      machine.settle(at: now, state.options.durations)
      try body(&machine, now)
      try save(machine, in: &state)
    }
  }

  /// - Parameter erases: Whether a disk that other hosts reach goes, too, where it is this host's.
  func remove(_ uuid: UUID, erases: Bool = true) throws {
    try state.withLock { state in
      try state.readRecords()
      let folder = try state.kept().machines
      guard try !folder.isForeign(uuid) else { return }
      try folder.remove(uuid)
      try state.kept().disks?.leave(uuid, erases: erases)
      if state.replace(uuid, with: nil) != nil { listeners.tell() }
    }
  }

  /// The file is written under the lock, so that memory and disk end with the same version.
  func save(_ machine: SimulatedMachine, in state: inout State) throws(DriverError) {
    guard state.machines[machine.uuid] != machine else { return }
    try state.kept().disks?.keep(machine)
    try state.kept().machines.write(machine)
    state.replace(machine.uuid, with: machine)
    listeners.tell()
  }

  func require(_ uuid: UUID, in state: State) throws(DriverError) -> SimulatedMachine {
    guard let machine = state.machines[uuid] else { throw DriverError(.notFound, "There is no machine \(uuid).") }
    return machine
  }
}
