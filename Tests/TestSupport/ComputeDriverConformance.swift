package import Core
import Foundation
import Testing

/// What every `ComputeDriver` promises. A test target runs all `Check.allCases` on its driver, one at a time for drivers
/// with real machines: a check boots one guest at most, and cleans up also when it fails.
package struct ComputeDriverConformance: Sendable {
  package typealias Condition = @Sendable () async throws -> Bool

  /// The driver of an installation without machines.
  let driver: any ComputeDriver
  /// Another host, to which machines of the driver are moved; nil where it does not offer that.
  let neighbour: (any MachineReceiver)?
  let makeSpecification: @Sendable () async throws -> MachineSpecification
  let waitUntil: @Sendable (String, Condition) async throws -> Void

  /// - Parameters:
  ///   - neighbour: A host of the same installation that has no machines.
  ///   - makeSpecification: Returns a new machine at each call. It may create its disk, its image is ready, and it has a free
  /// address of its own.
  ///   - waitUntil: Lets time pass until the condition holds, and throws when that takes too long. The text says what is waited
  /// for.
  package init(
    driver: any ComputeDriver, neighbour: (any MachineReceiver)? = nil,
    makeSpecification: @escaping @Sendable () async throws -> MachineSpecification,
    waitUntil: @escaping @Sendable (String, Condition) async throws -> Void
  ) {
    self.driver = driver
    self.neighbour = neighbour
    self.makeSpecification = makeSpecification
    self.waitUntil = waitUntil
  }

  package enum Check: String, Sendable, CaseIterable, CustomTestStringConvertible {
    case everyRequestCanBeRepeated = "Every request of a whole life can be repeated"
    case lossOfPower = "Loss of power is not taken for a shutdown of the guest"
    case redefinition = "A new definition leaves a running machine alone"
    case missingDisk = "A missing disk is never replaced by an empty one"
    case unknownImage = "An image that is not there is not found"
    case unknownMachine = "A machine that is not there is absent, and cannot be used"
    case observation = "What is observed is exactly what was made, as power tells it"
    case addresses = "An address is free for its own machine, and for others once that is absent"
    case copyOfMachineThatIsOff = "A copy of a machine that is off is made once, and can be put back"
    case copyOfRunningMachine = "A running machine is copied and goes on; what is put back boots"
    case copiesGoWithMachine = "Copies go with their machine, also those under way"
    case newDisk = "A disk can be removed, and a new one made; the copies stay"
    case absence = "A machine can be removed in any state"
    case rescue =
      "A rescue system runs in the place of a machine's own, and leaves no trace; guests take passwords, and tell of user data"
    case moving = "A machine that is off moves to another host with its disk and its copies, or stays as it was"
    case console = "The console of a machine that runs speaks RFB, to several at once, and ends with the machine"

    package var testDescription: String { rawValue }
  }

  package func run(_ check: Check) async throws {
    switch check {
    case .everyRequestCanBeRepeated: try await everyRequestCanBeRepeated()
    case .lossOfPower: try await lossOfPower()
    case .redefinition: try await redefinition()
    case .missingDisk: try await missingDisk()
    case .unknownImage: try await unknownImage()
    case .unknownMachine: try await unknownMachine()
    case .observation: try await observation()
    case .addresses: try await addresses()
    case .copyOfMachineThatIsOff: try await copyOfMachineThatIsOff()
    case .copyOfRunningMachine: try await copyOfRunningMachine()
    case .copiesGoWithMachine: try await copiesGoWithMachine()
    case .newDisk: try await newDisk()
    case .absence: try await absence()
    case .rescue: try await rescue()
    case .moving: try await moving()
    case .console: try await console()
    }
  }
}

extension ComputeDriverConformance {
  private func everyRequestCanBeRepeated() async throws {
    try await withMachine { specification in
      let machine = specification.machine
      let driver = driver
      try await twice { try await driver.ensureDefined(specification) }
      #expect(try await driver.power(of: machine) == .off(.other))
      #expect(try await driver.readiness(of: machine) == Readiness(hasSSHBanner: false, hasAgent: false))
      await expectError(.busy, .unreachable) { try await driver.applyHostname(specification.hostname, to: machine) }

      try await twice { try await driver.start(machine) }
      #expect(try await driver.power(of: machine) == .running)
      try await waitUntil("the guest is ready") {
        let readiness = try await driver.readiness(of: machine)
        return readiness.hasSSHBanner && readiness.hasAgent
      }
      let hostname = try #require(Hostname("renamed.example.com"))
      try await twice { try await driver.applyHostname(hostname, to: machine) }
      let firewall = Firewall(isEnabled: true, rules: [try FirewallRule(.inbound, .tcp, ports: "1-65535")])
      try await twice { try await driver.applyFirewall(firewall, to: machine) }
      let limits = ResourceLimits(cpuWeight: 250, diskIOPS: 100_000, diskMiBPerSecond: 1000)
      try await twice { try await driver.applyLimits(limits, to: machine) }
      try await driver.applyLimits(.standard(vcpus: 1), to: machine)
      // Starting a running machine must not reset it.
      try await driver.start(machine)
      #expect(try await driver.readiness(of: machine).hasSSHBanner)
      #expect(try await driver.observe().usage[machine] != nil)

      try await twice { try await driver.requestShutdown(machine) }
      try await waitUntil("the guest has shut down") { try await driver.power(of: machine) != .running }
      #expect(try await driver.power(of: machine) == .off(.guestShutdown))
      try await driver.requestShutdown(machine)
      try await twice { try await driver.powerOff(machine) }
      try await twice { try await driver.applyFirewall(.disabled, to: machine) }
      try await driver.applyLimits(limits, to: machine)
      #expect(try await driver.power(of: machine) == .off(.guestShutdown))
      #expect(try await driver.readiness(of: machine) == Readiness(hasSSHBanner: false, hasAgent: false))

      try await twice { try await driver.ensureAbsent(machine) }
      #expect(try await driver.power(of: machine) == .absent)
    }
  }

  private func lossOfPower() async throws {
    try await withMachine { specification in
      try await driver.ensureDefined(specification)
      try await driver.start(specification.machine)
      try await twice { try await driver.powerOff(specification.machine) }
      #expect(try await driver.power(of: specification.machine) == .off(.other))
      #expect(try await driver.observe().powers[specification.machine] == .off(.other))
      try await driver.start(specification.machine)
      #expect(try await driver.power(of: specification.machine) == .running)
    }
  }

  private func redefinition() async throws {
    try await withMachine { specification in
      try await driver.ensureDefined(specification)
      try await driver.start(specification.machine)
      let hostname = try #require(Hostname("another.example.com"))
      try await driver.ensureDefined(specification.with(hostname: hostname, mayCreateDisk: false))
      #expect(try await driver.power(of: specification.machine) == .running)
      try await driver.powerOff(specification.machine)
      try await driver.start(specification.machine)
      #expect(try await driver.power(of: specification.machine) == .running)
    }
  }

  private func missingDisk() async throws {
    try await withMachine { specification async throws in
      await expectError(.notFound) { try await driver.ensureDefined(specification.with(mayCreateDisk: false)) }
      await expectError(.notFound) { try await driver.start(specification.machine) }
      #expect(try await driver.power(of: specification.machine) == .absent)
      #expect(try await driver.observe().powers[specification.machine] == nil)
    }
  }

  private func unknownImage() async throws {
    try await withMachine { specification async throws in
      let name = "no-such-image"
      await expectError(.notFound) { _ = try await driver.prepareImage(name, storageGiB: 100) }
      await expectError(.notFound) { _ = try await driver.takesUserData(name) }
      await expectError(.notFound) { try await driver.ensureDefined(specification.with(imageName: name)) }
      await expectError(.notFound) {
        try await driver.ensureDefined(specification.with(imageVersion: "no-such-version"))
      }
      #expect(try await driver.power(of: specification.machine) == .absent)
      let image = specification.imageName
      await expectError(.rejected) { _ = try await driver.prepareImage(image, storageGiB: 0) }
      let version = try await driver.readyImage(image, storageGiB: specification.storageGiB)
      #expect(version == specification.imageVersion)
    }
  }

  private func unknownMachine() async throws {
    let machine = UUID()
    #expect(try await driver.power(of: machine) == .absent)
    try await twice { try await driver.ensureAbsent(machine) }
    await expectError(.notFound) { try await driver.start(machine) }
    await expectError(.notFound) { try await driver.requestShutdown(machine) }
    await expectError(.notFound) { try await driver.powerOff(machine) }
    await expectError(.notFound) { _ = try await driver.readiness(of: machine) }
    let hostname = try #require(Hostname("nobody.example.com"))
    await expectError(.notFound) { try await driver.applyHostname(hostname, to: machine) }
    try await twice { try await driver.applyFirewall(Firewall(isEnabled: true, rules: []), to: machine) }
    await expectError(.notFound) { _ = try await driver.openConsole(of: machine) }
    await expectError(.notFound, .unreachable) { try await driver.setPassword(hash: "$6$a", of: "root", in: machine) }
    await expectError(.notFound, .unreachable) { _ = try await driver.userDataOutcome(of: machine) }
    await expectError(.notFound) { _ = try await driver.ensureCopied(machine, as: UUID()) }
    await expectError(.notFound) {
      _ = try await driver.ensureRestored(machine, from: UUID(), checksum: Self.unknownChecksum)
    }
    #expect(try await !driver.endRestore(of: machine, from: UUID()))
    try await twice { try await driver.ensureCopyAbsent(UUID(), of: machine) }
    try await twice { try await driver.ensureDiskAbsent(machine) }
    #expect(try await driver.power(of: machine) == .absent)
    #expect(try await driver.observe().powers[machine] == nil)
  }

  private func observation() async throws {
    #expect(try await driver.observe().powers.isEmpty)
    try await withMachine { started in
      try await withMachine { defined in
        try await driver.ensureDefined(started)
        try await driver.ensureDefined(defined)
        try await driver.start(started.machine)
        let observed = try await driver.observe()
        #expect(Set(observed.powers.keys) == [started.machine, defined.machine])
        for (machine, power) in observed.powers {
          #expect(try await driver.power(of: machine) == power)
        }
        #expect(observed.powers[started.machine] == .running)
        #expect(observed.powers[defined.machine] == .off(.other))
        #expect(observed.usage[defined.machine] == nil)
      }
    }
    #expect(try await driver.observe().powers.isEmpty)
  }

  private func addresses() async throws {
    try await withMachine { specification in
      let stranger = UUID()
      let address = ServerAddress.ipv4(specification.interface.address)
      #expect(try await driver.isAddressFree(ServerAddress("2001:db8:10:77::/64")!, for: stranger))
      #expect(driver.forwarding(to: stranger) == nil && driver.lostPorts(of: stranger).isEmpty)
      #expect(try await driver.isAddressFree(address, for: specification.machine))
      #expect(try await driver.isAddressFree(address, for: stranger))
      try await driver.ensureDefined(specification)
      try await driver.start(specification.machine)
      #expect(try await driver.isAddressFree(address, for: specification.machine))
      #expect(try await !driver.isAddressFree(address, for: stranger))
      #expect(driver.lostPorts(of: specification.machine).isEmpty)
      try await driver.ensureAbsent(specification.machine)
      #expect(try await driver.isAddressFree(address, for: stranger))
    }
  }

  private func absence() async throws {
    try await withMachine { specification in
      try await driver.ensureDefined(specification)
      try await driver.ensureAbsent(specification.machine)
      #expect(try await driver.observe().powers[specification.machine] == nil)

      try await driver.ensureDefined(specification)
      try await driver.start(specification.machine)
      try await driver.ensureAbsent(specification.machine)
      #expect(try await driver.power(of: specification.machine) == .absent)
      #expect(try await driver.observe().powers[specification.machine] == nil)
      // Its disk has been removed, too.
      await expectError(.notFound) { try await driver.ensureDefined(specification.with(mayCreateDisk: false)) }
    }
  }
}

extension ComputeDriverConformance {
  private func console() async throws {
    try await withMachine { specification in
      let machine = specification.machine
      try await driver.ensureDefined(specification)
      await expectError(.rejected) { _ = try await driver.openConsole(of: machine) }
      try await driver.start(machine)
      let first = RFBClient(try await driver.openConsole(of: machine))
      let second = RFBClient(try await driver.openConsole(of: machine))
      let screen = try await first.shakeHands()
      let sameScreen = try await second.shakeHands()
      // A machine that starts may change the size of its screen between the two.
      for seen in [screen, sameScreen] { #expect(seen.width >= 320 && seen.height >= 200) }
      #expect(sameScreen.name == screen.name)
      #expect(try await !first.requestPicture(of: screen).isEmpty)
      try await driver.powerOff(machine)
      try await first.awaitEnd()
      try await second.awaitEnd()
      await expectError(.rejected) { _ = try await driver.openConsole(of: machine) }
    }
  }
}

extension ComputeDriverConformance {
  func withMachine(_ body: (MachineSpecification) async throws -> Void) async throws {
    let specification = try await makeSpecification()
    do {
      try await body(specification)
    } catch {
      try? await driver.ensureAbsent(specification.machine)
      throw error
    }
    try await driver.ensureAbsent(specification.machine)
  }

  func twice(_ request: () async throws -> Void) async throws {
    try await request()
    try await request()
  }

  func expectError(
    _ kinds: DriverError.Kind..., sourceLocation: SourceLocation = #_sourceLocation, request: () async throws -> Void
  ) async {
    do {
      try await request()
      Issue.record("It was to fail as one of \(kinds), and did not.", sourceLocation: sourceLocation)
    } catch let error as DriverError {
      #expect(kinds.contains(error.kind), "\(error.detail)", sourceLocation: sourceLocation)
    } catch {
      Issue.record("A driver throws only DriverError: \(error)", sourceLocation: sourceLocation)
    }
  }
}

extension MachineSpecification {
  func with(
    hostname: Hostname? = nil, imageName: String? = nil, imageVersion: String? = nil, mayCreateDisk: Bool? = nil,
    userData: String? = nil, rescue: RescueSpecification? = nil
  ) -> MachineSpecification {
    MachineSpecification(
      machine: machine, label: label, hostname: hostname ?? self.hostname, vcpus: vcpus, memoryMiB: memoryMiB,
      storageGiB: storageGiB, imageName: imageName ?? self.imageName, imageVersion: imageVersion ?? self.imageVersion,
      interface: interface, firewall: firewall, authorizedKey: authorizedKey, rootPasswordHash: rootPasswordHash,
      mayCreateDisk: mayCreateDisk ?? self.mayCreateDisk, userData: userData ?? self.userData,
      rescue: rescue ?? self.rescue)
  }
}
