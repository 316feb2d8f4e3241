import Core
import Foundation
import HostImages
import Logging
import PrivateFiles

/// The templates of this host: kept while everything they depend on is unchanged, and made while the host is idle.
extension LibvirtDriver {
  private static let keepInterval = Duration.seconds(10)
  /// What must stay free in addition to the memory of a template's machine and its files.
  private static let memoryReserveMiB = 1024
  private static let diskReserveBytes: Int64 = 4 << 30

  /// Sets the shapes of servers that can be ordered here.
  package func want(templatesOf shapes: [MachineShape]) { demand.want(shapes) }

  /// Runs until cancellation; with templates turned off, until the existing ones are removed.
  func keepTemplates() async {
    var lastError = ""
    repeat {
      do {
        try await keepTemplatesOnce()
        lastError = ""
      } catch is CancellationError {
        return
      } catch {
        if "\(error)" != lastError { logger.warning("templates are not kept", metadata: ["error": "\(error)"]) }
        lastError = "\(error)"
      }
      if configuration.instantTemplates == .off, lastError.isEmpty { return }
      try? await clock.sleep(for: Self.keepInterval)
    } while !Task.isCancelled
  }

  private func keepTemplatesOnce() async throws {
    try await onFiles("remove halves of templates") { try templates.removeAbandoned() }
    guard configuration.instantTemplates == .auto else {
      return try await onFiles("remove the templates") { for id in try templates.templates().keys { try remove(id) } }
    }
    let basis = try await templateBasis()
    let kept = try await removeUnfitTemplates(basis)
    guard basis != nil, let shape = try await nextShape(beside: kept) else { return }
    await demand.make(at: clock.uptime) {
      do {
        let template = try await makeTemplate(of: shape)
        demand.noteSuccess(of: shape)
        logger.info(
          "a template is there", metadata: ["template": "\(template.id.text)", "image": "\(shape.imageName)"])
      } catch {
        if Task.isCancelled { return }
        demand.noteFailure(
          of: shape, isForWant: (error as? DriverError)?.kind == .exhausted, at: clock.uptime)
        logger.warning("a template could not be made", metadata: ["image": "\(shape.imageName)", "error": "\(error)"])
      }
    }
  }

  /// What the memory of a machine that boots now depends on; nil if libvirt does not tell.
  func templateBasis() async throws -> TemplateBasis? {
    let capabilities = try await onLibvirt("learn what QEMU can do") { [accelerator] in
      try $0.capabilities(of: accelerator)
    }
    guard let model = CPUModel(capabilities: capabilities), let kind = templateNetwork,
      let emulator = EmulatorBinary(capabilities: capabilities)?.print
    else { return nil }
    return TemplateBasis(accelerator: accelerator.rawValue, cpuModel: model, emulator: emulator, network: kind)
  }

  /// The network card of a template, apart from its address; nil where there are no templates.
  private var templateNetwork: String? {
    network.templateAttachment(HardwareAddress(number: 0)).map { attachment in
      (attachment.devices.map(\.rendered) + attachment.arguments).joined(separator: "\n")
    }
  }

  /// Returns the remaining templates.
  private func removeUnfitTemplates(_ basis: TemplateBasis?) async throws -> [Template] {
    var kept: [Template] = []
    for (id, template) in try await onFiles("list the templates", { try templates.templates() }) {
      try Task.checkCancellation()
      if let template, try await isFit(template, basis) {
        kept.append(template)
      } else {
        try await onFiles("remove a template") { try remove(id) }
      }
    }
    return try await onFiles("bound the templates") { [kept] in try bounded(kept) }
  }

  private func isFit(_ template: Template, _ basis: TemplateBasis?) async throws -> Bool {
    let description = template.description
    guard description.basis == basis, demand.shapes?.contains(description.shape) ?? true,
      try await onFiles("look at the image", { (try? images.currentVersion(of: description.shape.imageName)) })
        == description.imageVersion
    else { return false }
    if verified.isVerified(template) { return true }
    guard let prints = VerifiedTemplates.prints(of: template) else { return false }
    for (path, file) in [(template.disk, description.disk), (template.state, description.state)] {
      guard try await checksum(of: path, bytes: file.bytes) == file.checksum else {
        logger.error("a template is not what was written", metadata: ["file": "\(path)"])
        return false
      }
    }
    verified.note(template, prints)
    return true
  }

  /// Removes the least recently used ones until the others fit.
  private func bounded(_ kept: [Template]) throws -> [Template] {
    var left = kept.sorted { templates.lastUse(of: $0) > templates.lastUse(of: $1) }
    while let last = left.last, left.reduce(0, { $0 + templates.bytes(of: $1) }) > configuration.instantStorageBytes {
      try remove(last.id)
      left.removeLast()
    }
    return left
  }

  /// The smallest missing one, if the host is idle and has room for it.
  private func nextShape(beside kept: [Template]) async throws -> MachineShape? {
    guard demand.isQuiet(at: clock.uptime), let shapes = demand.shapes else { return nil }
    let missing = shapes.filter { shape in
      !kept.contains { $0.description.shape == shape } && demand.mayTry(shape, at: clock.uptime)
    }
    return try await onFiles("look for room for a template") {
      let taken = kept.reduce(0) { $0 + templates.bytes(of: $1) }
      return missing.first { shape in
        // The state takes at most as many bytes as the machine has memory. A template that would displace another is not made.
        let bytes = Int64(shape.memoryMiB) << 20
        return (try? instantVersion(of: shape)) != nil && taken + bytes <= configuration.instantStorageBytes
          && HostResources.isIdle(withMemoryMiB: shape.memoryMiB + Self.memoryReserveMiB)
          && (try? MachineFiles.freeBytes(at: configuration.dataDirectory)).map { $0 >= bytes + Self.diskReserveBytes }
            ?? false
      }
    }
  }

  /// The current version of the image. Throws if it does not support templates, or does not fit on the disk.
  func instantVersion(of shape: MachineShape) throws -> String {
    let version = try images.currentVersion(of: shape.imageName)
    let description = try images.description(of: shape.imageName, version: version)
    let properties = description.properties
    guard properties.isInstant, properties.seedFormat == .vpsd, properties.firmware == .bios,
      shape.storageGiB >= description.minimumDiskGiB ?? 0
    else { throw DriverError(.rejected, "the image \(shape.imageName) does not support templates") }
    return version
  }

  func remove(_ id: UUID) throws {
    verified.forget(id)
    try templates.remove(id)
  }

  /// The template for a new machine; nil if it has to boot.
  func template(for specification: MachineSpecification, on cpuModel: CPUModel?) -> Template? {
    guard configuration.instantTemplates == .auto, specification.userData == nil, specification.rescue == nil,
      let cpuModel, let kind = templateNetwork,
      let all = try? templates.templates().values.compactMap({ $0 })
    else { return nil }
    return all.first { template in
      let (description, basis) = (template.description, template.description.basis)
      return description.shape == MachineShape(of: specification)
        && description.imageVersion == specification.imageVersion && basis.cpuModel == cpuModel
        && basis.network == kind && basis.accelerator == accelerator.rawValue
        && EmulatorBinary.isSame(basis.emulator) && verified.isVerified(template)
    }
  }
}
