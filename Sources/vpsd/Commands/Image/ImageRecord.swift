import API
import Foundation
import HostImages
import LibvirtDriver

struct ImageRecord: DetailedRecord {
  let name: String
  let version: String
  let isCurrent: Bool
  let sizeMiB: Int
  /// Nil where its `image.json` cannot be read.
  let description: ImageDescription?
  /// The machines of this version whose memory new servers can start from.
  let templates: [ListedTemplate]

  init(
    _ name: String, _ version: String, isCurrent: Bool = true, in images: ImageStore, templates: [ListedTemplate] = []
  ) {
    self.name = name
    self.version = version
    self.isCurrent = isCurrent
    sizeMiB = Int((images.sizeBytes(of: name, version: version) ?? 0) >> 20)
    description = try? images.description(of: name, version: version)
    self.templates = templates.filter { $0.shape.imageName == name && $0.imageVersion == version }
  }

  static let headings = ["IMAGE", "VERSION", "CURRENT", "MIB", "TEMPLATES"]
  var cells: [String] {
    [name, version, isCurrent ? "yes" : "", "\(sizeMiB)", templates.isEmpty ? "" : "\(templates.count)"]
  }

  var details: [(label: String, value: String?)] {
    let source = description?.source
    return [
      ("IMAGE", name), ("VERSION", version), ("CURRENT", isCurrent ? "yes" : "no"), ("MIB", "\(sizeMiB)"),
      ("SYSTEM", description?.osName), ("MINIMUM DISK", description?.minimumDiskGiB.map { "\($0) GiB" }),
      ("SEED", description?.properties.seedFormat.rawValue), ("USER", description?.properties.defaultUser),
      ("AGENT", description.map { $0.properties.hasGuestAgent ? "yes" : "no" }),
      ("FIRMWARE", description?.properties.firmware.rawValue),
      ("ARCHITECTURE", description?.properties.architecture.rawValue), ("SOURCE", source?.url ?? source?.file),
      ("CHECKSUMS", source?.checksums), ("SIGNED BY", source?.fingerprint ?? source?.keyring),
      ("SOURCE SHA-256", description?.sourceSHA256), ("DISK SHA-256", description?.sha256),
      ("TEMPLATES", templates.isEmpty ? nil : templates.map(\.sentence).joined(separator: ", ")),
    ]
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("image", name)
    writer.field("version", version)
    writer.field("current", isCurrent)
    writer.field("size_mib", sizeMiB)
    writer.field("os_name", description?.osName)
    writer.field("minimum_disk_gib", description?.minimumDiskGiB.map(Int64.init))
    writer.field("virtual_size_bytes", description?.virtualSizeBytes)
    writer.field("seed_format", description?.properties.seedFormat.rawValue)
    writer.field("default_user", description?.properties.defaultUser)
    if let description { writer.field("guest_agent", description.properties.hasGuestAgent) }
    writer.field("firmware", description?.properties.firmware.rawValue)
    writer.field("architecture", description?.properties.architecture.rawValue)
    writer.field("source", description?.source?.url ?? description?.source?.file)
    writer.field("checksums", description?.source?.checksums)
    writer.field("fingerprint", description?.source?.fingerprint)
    writer.field("source_sha256", description?.sourceSHA256)
    writer.field("sha256", description?.sha256)
    writer.field("templates", templates) { writer, template in
      writer.object { writer in
        writer.field("vcpus", template.shape.vcpus)
        writer.field("memory_mib", template.shape.memoryMiB)
        writer.field("storage_gib", template.shape.storageGiB)
        writer.field("size_mib", template.sizeBytes >> 20)
      }
    }
  }
}

extension ListedTemplate {
  fileprivate var sentence: String {
    "\(shape.vcpus) vCPU \(shape.memoryMiB) MiB \(shape.storageGiB) GiB (\(sizeBytes >> 20) MiB)"
  }
}

struct KnownImageRecord: Record {
  let name: String
  let image: KnownImage

  static let headings = ["IMAGE", "SYSTEM", "SIGNED", "SOURCE"]
  var cells: [String] { [name, image.os, image.source.keyring == nil ? "" : "yes", image.source.url ?? ""] }

  func write(_ writer: inout JSONWriter) {
    writer.field("image", name)
    writer.field("os_name", image.os)
    writer.field("family", image.family)
    writer.field("os_version", image.osVersion)
    writer.field("source", image.source.url)
    writer.field("checksums", image.source.checksums)
    writer.field("fingerprint", image.source.fingerprint)
  }
}
