import Core
import Foundation
import HostImages
import PrivateFiles

/// What a disk was made from. It decides how machines run the disk and its copies, also when the image is gone.
struct DiskRecord: Codable, Equatable {
  /// New for each disk that is made: cloud-init treats a changed instance ID as a new guest.
  let instance: UUID
  let properties: ImageProperties

  /// The record of a disk older than these records: it was made from an image of ours.
  static func ofOurs(_ machine: UUID) -> DiskRecord { DiskRecord(instance: machine, properties: ImageProperties()) }

  /// Nil where there is no file. An unreadable record throws: a guess would start the machine with other properties.
  static func read(_ path: String) throws -> DiskRecord? {
    guard MachineFiles.exists(path) else { return nil }
    guard let data = FileManager.default.contents(atPath: path),
      let record = try? JSONDecoder().decode(DiskRecord.self, from: data)
    else { throw DriverError(.rejected, "\(path) cannot be read") }
    return record
  }

  func write(to path: String) throws { try PrivateFile.write(Array(try JSONEncoder().encode(self)), to: path) }
}
