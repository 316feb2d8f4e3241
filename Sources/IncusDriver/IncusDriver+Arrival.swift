import Core
import Foundation
import NIOHTTP1

/// A server comes from another Incus as an image of its disk: that is made there, is sent here by way of this process, and is gone from
/// both once the container has been made of it. Its copies are images already, and come as they are. Until the last of it is here the
/// container here bears no mark that it is whole, and the source has all of it.
///
/// Nothing is tried twice: the server is off meanwhile. Whoever asks again after a process died begins anew.
extension IncusDriver {
  func ensureArrived(_ machine: UUID, from source: IncusDriver) async throws -> ReceiptProgress {
    try await requireApart(from: source)
    switch work.standing(of: .receipt, machine, machine) {
    case .underWay: return .advancing
    case .over(let result):
      try result.get()
      return .advancing
    case .none: break
    }
    if let present = try await instance(of: machine), present.isDefined { return .done }
    _ = try await source.departing(machine)
    try await source.requireNothingUnderWay(with: machine)
    // What a process that died has begun to make is waited for.
    try await requireNoCreate(of: machine)
    work.begin(.receipt, machine, machine) { isWanted in try await fetch(machine, from: source, while: isWanted) }
    return .advancing
  }

  func endArrival(of machine: UUID, from source: IncusDriver) async throws -> Bool {
    try await requireApart(from: source)
    try await endWork(of: machine, machine)
    try await requireNoCreate(of: machine)
    if let present = try await instance(of: machine) {
      guard !present.isDefined else { return true }
      try await remove(machine)
    }
    try await removeCopies(of: machine)
    return false
  }

  /// The other Incus has a whole one of its own.
  func ensureAbsent(_ machine: UUID, because home: IncusDriver) async throws {
    try await requireApart(from: home)
    try await endWork(of: machine)
    try await requireNoCreate(of: machine)
    try await ensureAbsent(machine)
  }

  /// Two locations might be one Incus by two ways, where what the one removes would be what the other has.
  private func requireApart(from other: IncusDriver) async throws {
    guard try await cluster.identity().isApart(from: other.cluster.identity()) else {
      throw DriverError(
        .rejected, "the two hosts are of one Incus, or one is of an LXD",
        customerReason: "The server cannot be moved there.")
    }
  }

  /// The container that is to leave.
  private func departing(_ machine: UUID) async throws -> Instance {
    guard let instance = try await instance(of: machine), instance.isDefined else { throw Self.absent(machine) }
    guard instance.isOff else { throw Self.running(machine) }
    guard instance.hasDisk else { throw Self.missingDisk(machine) }
    return instance
  }

  // MARK: - The work

  private func fetch(
    _ machine: UUID, from source: IncusDriver, while isWanted: @escaping @Sendable () -> Bool
  ) async throws {
    let transfer = UUID()
    for end in [cluster, source.cluster] { end.transfers.begin(transfer) }
    defer { for end in [cluster, source.cluster] { end.transfers.end(transfer) } }
    do {
      try await fetch(machine, from: source, as: transfer, while: isWanted)
      await remove(transfer, at: source)
    } catch {
      await remove(transfer, at: source)
      throw Self.finalFailure(error)
    }
  }

  private func fetch(
    _ machine: UUID, from source: IncusDriver, as transfer: UUID, while isWanted: @escaping @Sendable () -> Bool
  ) async throws {
    let container = try await source.departing(machine)
    guard let architecture = container.architecture, try await cluster.identity().architectures.contains(architecture)
    else {
      throw DriverError(.rejected, "the container of \(machine.text) is for processors that this Incus does not have")
    }
    let disk = try await source.publish(machine, as: transfer, while: isWanted)
    try await fetch(disk, of: machine, from: source, while: isWanted)
    for copy in try await source.copies(of: machine) {
      try await fetch(copy, of: machine, from: source, while: isWanted)
    }
    guard isWanted() else { throw CancellationError() }
    if try await instance(of: machine) != nil { try await removeRemnant(of: machine) }
    try await make(container, of: machine, from: disk, while: isWanted)
    guard isWanted() else { throw CancellationError() }
    try await mark(machine, .isDefined, "true")
  }

  /// What went wrong is not tried again by whoever asks.
  private static func finalFailure(_ error: any Error) -> DriverError {
    let told = (error as? IncusError)?.driverError ?? error as? DriverError
    return DriverError(
      .rejected, told?.detail ?? "\(error)".plainExcerpt,
      customerReason: told?.kind == .exhausted
        ? "The server's new host has no room for it." : "The server could not be moved.")
  }

  /// An image of the disk of a container that is off. A process that dies leaves it, or what makes it.
  private func publish(
    _ machine: UUID, as transfer: UUID, while isWanted: @escaping @Sendable () -> Bool
  ) async throws -> ClusterImage {
    let request = try publication(
      of: ["type": .text("instance"), "name": .text(Instance.name(of: machine))], machine,
      [.copy: "", .transfer: transfer.text])
    try await finish(request, while: isWanted)
    guard let image = try await images().first(where: { $0[.transfer] == transfer.text }) else {
      throw IncusError.refused("no image came of the disk of \(machine.text)")
    }
    return image
  }

  /// Its fingerprint is the SHA-256 of the file, which each of the two servers has reckoned by itself. What the image says of itself is in
  /// the file.
  private func fetch(
    _ image: ClusterImage, of machine: UUID, from source: IncusDriver, while isWanted: @escaping @Sendable () -> Bool
  ) async throws {
    func isHere() async throws -> Bool {
      try await images().contains { $0.fingerprint == image.fingerprint && $0[.machine] == machine.text }
    }
    guard try await !isHere() else { return }
    let operation = try await client.relay(
      IncusPath("images", image.fingerprint, "export"), of: source.client, to: IncusPath("images"),
      patience: IncusDeadline.stillness, while: isWanted)
    if let operation { try await client.end(of: operation, patience: timing.copyDeadline, while: isWanted) }
    guard try await isHere() else {
      throw DriverError(.rejected, "what came of the image \(image.fingerprint) is not what was sent")
    }
  }

  private func make(
    _ container: Instance, of machine: UUID, from disk: ClusterImage, while isWanted: @escaping @Sendable () -> Bool
  ) async throws {
    let request = IncusClient.Request(
      method: .POST, path: IncusPath("instances").with("target", configuration.member),
      body: try container.arrival(at: configuration, from: disk.fingerprint).bytes, deadline: IncusDeadline.instance)
    try await finish(request, while: isWanted)
    guard try await instance(of: machine) != nil else {
      throw DriverError(.rejected, "the name of the container of \(machine.text) is somebody else's")
    }
  }

  private func finish(_ request: IncusClient.Request, while isWanted: @escaping @Sendable () -> Bool) async throws {
    guard let operation = try await client.send(request) else { return }
    try await client.end(of: operation, patience: timing.copyDeadline, while: isWanted)
  }

  // MARK: - What is left of it

  /// Where it cannot be removed, whoever looks for stray ones finds it.
  private func remove(_ transfer: UUID, at source: IncusDriver) async {
    for host in [self, source] {
      guard let images = try? await host.images() else { continue }
      for image in images where image[.transfer] == transfer.text { try? await host.remove(image) }
    }
  }

  /// Of a process that died. One that was still being made then comes when it is done.
  func removeStrayTransfers() async throws {
    for image in try await images() where image[.installation] == configuration.installation.text {
      guard let transfer = image[.transfer], !cluster.transfers.contains(transfer) else { continue }
      try await remove(image)
    }
  }
}

extension Instance {
  /// The same at another Incus, with the disk that is in an image, and with nothing that leads into it: of what was written of it, that
  /// which a definition would write again. It is none of anybody's until it is marked.
  fileprivate func arrival(at configuration: IncusDriver.Configuration, from fingerprint: String) -> JSONBody {
    let kept = ["user.vpsd.", "limits.", "security.", "boot.", "cloud-init."]
    var config = config.filter { entry in !entry.value.isEmpty && kept.contains { entry.key.hasPrefix($0) } }
    for key in [MarkKey.isDefined, .disk, .addresses] { config[key.rawValue] = nil }
    config["user.vpsd.network"] = nil
    config[MarkKey.member.rawValue] = configuration.member
    // It has not ended there, and nobody is to think so.
    config[MarkKey.power.rawValue] = "cut"
    var root = ["type": "disk", "path": "/", "pool": configuration.storagePool]
    root["size"] = devices[InstanceDefinition.rootDevice]?["size"]
    return JSONBody([
      "name": .text(name), "type": .text("container"), "architecture": .text(architecture ?? ""),
      "profiles": .list([]), "ephemeral": .flag(false),
      "source": .object(["type": .text("image"), "fingerprint": .text(fingerprint)]), "config": .texts(config),
      "devices": .object([InstanceDefinition.rootDevice: .texts(root)]),
    ])
  }
}
