import Foundation
import HostPrograms
import PrivateFiles

/// Converts a published file to a disk of ours, on a workbench, by confined programs.
struct DiskConversion {
  let folder: WorkFolder
  /// What is converted, in words for refusals.
  let subject: String
  let limits: ImageLimits

  struct Disk {
    let file: String
    let virtualSizeBytes: Int64
    let sizeBytes: Int64
  }

  private static let toolLimit: Duration = .seconds(120)

  func disk(of file: String) throws -> Disk {
    let (file, format) = try unpacked(file)
    let size: Int64
    let input: String
    switch format {
    case .qcow2:
      size = try sizeOfQCOW2(file)
      input = "qcow2"
    case .raw:
      size = try RegularFile.size(of: path(file))
      input = "raw"
      // Checked before the conversion: a file in no known format counts as raw.
      try requireContent(RegularFile.bytes(of: path(file), atMost: DiskContent.headBytes), size)
    case .xz, .zstd: throw ImageRefusal.unfit("\(subject) is compressed twice.")
    case .other(let name): throw ImageRefusal.unfit("\(subject) is in the format \(name), which is not taken.")
    }
    guard size > 0 else { throw ImageRefusal.unfit("\(subject) is a disk without a byte.") }
    guard size <= limits.diskBytes else {
      throw ImageRefusal.unfit(
        "\(subject) is a disk of \(size) bytes, more than the \(limits.diskBytes) that are taken.")
    }
    let result = try convert(file, from: input, size)
    try remove(file)
    return result
  }

  private func path(_ file: String) -> String { "\(folder.workbench)/\(file)" }

  // MARK: - Unpacking

  private func format(of file: String) throws -> ImageFormat {
    ImageFormat(head: try RegularFile.bytes(of: path(file), atMost: ImageFormat.headBytes))
  }

  private func unpacked(_ file: String) throws -> (String, ImageFormat) {
    let format = try format(of: file)
    let result = "unpacked"
    switch format {
    case .xz:
      try rename(file, "\(result).xz")
      try unpack("xz", ["--decompress", "--keep", "--memlimit-decompress=1GiB", "\(result).xz"], to: result)
    case .zstd:
      try rename(file, "\(result).zst")
      try unpack("zstd", ["-d", "-q", "--sparse", "--memory=1024MB", "\(result).zst", "-o", result], to: result)
    case .qcow2, .raw, .other: return (file, format)
    }
    try remove("\(result).\(name(of: format))")
    return (result, try self.format(of: result))
  }

  private func name(of format: ImageFormat) -> String {
    if case .xz = format { "xz" } else { "zst" }
  }

  private func unpack(_ program: String, _ arguments: [String], to file: String) throws {
    let ending = try folder.end(
      program, arguments, fileBytes: limits.diskBytes, within: .forBytes(limits.diskBytes))
    if ending.exitStatus == 0 { return }
    let size = (try? RegularFile.size(of: path(file))) ?? 0
    if ending.signal == SIGXFSZ || ending.output.contains("File too large") || size >= limits.diskBytes {
      throw ImageRefusal.unfit("\(subject) unpacks to more than the \(limits.diskBytes) bytes that are taken.")
    }
    if ending.output.contains("No space left") { throw ImageRefusal.failed("There is no room for \(subject).") }
    throw ImageRefusal.unfit("\(subject) cannot be unpacked: \(ending.words)")
  }

  // MARK: - Checking

  /// QEMU's programs would open the files that an image names, so the header is checked before they run.
  private func sizeOfQCOW2(_ file: String) throws -> Int64 {
    let header = try RegularFile.withOpen(path(file)) { QCOW2Header(descriptor: $0) }
    guard let header else { throw ImageRefusal.unfit("\(subject) is no qcow2 image that is known.") }
    if header.backingFile != nil { throw ImageRefusal.unfit("\(subject) builds on another file: it must stand alone.") }
    if header.hasExternalData {
      throw ImageRefusal.unfit("\(subject) has its data in another file: it must stand alone.")
    }
    if header.isEncrypted { throw ImageRefusal.unfit("\(subject) is encrypted.") }
    guard header.virtualSizeBytes <= limits.diskBytes else {
      throw ImageRefusal.unfit(
        "\(subject) is a disk of \(header.virtualSizeBytes) bytes, more than the \(limits.diskBytes) that are taken.")
    }
    try requireWhole(file)
    return header.virtualSizeBytes
  }

  private func requireWhole(_ file: String) throws {
    let ending = try folder.end(
      "qemu-img", ["check", "-q", "-U", "-f", "qcow2", file], fileBytes: 0, within: Self.toolLimit)
    // Status 3 means clusters that nothing uses, which are harmless.
    guard ending.exitStatus == 0 || ending.exitStatus == 3 else {
      throw ImageRefusal.unfit("\(subject) is damaged or cut off: \(ending.words)")
    }
  }

  private func requireContent(_ head: [UInt8], _ size: Int64) throws {
    if let violation = DiskContent(head: head, diskBytes: size).violation {
      throw ImageRefusal.unfit("\(subject) is no disk of a system. \(violation)")
    }
  }

  // MARK: - Converting

  private func convert(_ file: String, from format: String, _ size: Int64) throws -> Disk {
    let result = "disk.qcow2"
    // The format's metadata comes on top of the guest's data.
    let bytes = limits.diskBytes + limits.diskBytes / 64 + (64 << 20)
    let ending = try folder.end(
      "qemu-img", ["convert", "-q", "-f", format, "-O", "qcow2", file, result], fileBytes: bytes,
      within: .forBytes(limits.diskBytes))
    if ending.output.contains("No space left") { throw ImageRefusal.failed("There is no room for \(subject).") }
    guard ending.exitStatus == 0 else { throw ImageRefusal.unfit("\(subject) cannot be read: \(ending.words)") }
    try requireWhole(result)
    let header = try RegularFile.withOpen(path(result)) { QCOW2Header(descriptor: $0) }
    guard let header, header.backingFile == nil, !header.hasExternalData, !header.isEncrypted,
      header.virtualSizeBytes >= size, header.virtualSizeBytes < size + 512
    else { throw ImageRefusal.failed("qemu-img made something else of \(subject) than a disk that stands alone.") }
    if format == "qcow2" { try requireContent(head(of: result), header.virtualSizeBytes) }
    return Disk(
      file: result, virtualSizeBytes: header.virtualSizeBytes, sizeBytes: try RegularFile.size(of: path(result)))
  }

  private func head(of file: String) throws -> [UInt8] {
    let ending = try folder.end(
      "qemu-img",
      ["dd", "-f", "qcow2", "-O", "raw", "bs=\(DiskContent.headBytes)", "count=1", "if=\(file)", "of=head"],
      fileBytes: 1 << 20, within: Self.toolLimit)
    guard ending.exitStatus == 0 else { throw ImageRefusal.unfit("\(subject) cannot be read: \(ending.words)") }
    return try RegularFile.bytes(of: path("head"), atMost: DiskContent.headBytes)
  }

  private func rename(_ file: String, _ other: String) throws {
    guard Foundation.rename(path(file), path(other)) == 0 else { throw HostError.last("rename \(file)") }
  }

  private func remove(_ file: String) throws {
    guard unlink(path(file)) == 0 else { throw HostError.last("remove \(file)") }
  }
}
