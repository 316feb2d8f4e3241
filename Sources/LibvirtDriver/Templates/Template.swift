import Core
import Foundation

/// A machine that has booted, saved as files, from which servers start without a boot.
struct Template: Equatable {
  let id: UUID
  let folder: String
  let description: TemplateDescription

  var disk: String { TemplateStore.disk(in: folder) }
  var state: String { TemplateStore.state(in: folder) }
}

/// `template.json`: everything a template depends on. If any of it changes, the template is not used any more.
struct TemplateDescription: Codable, Equatable {
  let shape: MachineShape
  let imageVersion: String
  let basis: TemplateBasis
  let machineType: String
  let disk: TemplateFile
  /// Memory and devices, as a migration stream of QEMU.
  let state: TemplateFile
}

/// The properties of a host that the memory of its machines depends on.
struct TemplateBasis: Codable, Equatable, Sendable {
  let accelerator: String
  let cpuModel: CPUModel
  let emulator: String
  /// The definition of the network card.
  let network: String
}

/// The size and the SHA-256 checksum of a file.
struct TemplateFile: Codable, Equatable {
  let bytes: Int64
  let checksum: String
}
