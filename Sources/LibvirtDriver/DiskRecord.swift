import Core
import Foundation
import HostImages
import PrivateFiles

/// What a disk was made from, which says how machines run it for as long as there is any of it: its image may be gone by then.
struct DiskRecord: Codable, Equatable {
  /// Another one for each disk that is made: cloud-init takes a guest for a new one where it sees another than before.
  let instance: UUID
  let properties: ImageProperties

  /// Of a disk that is older than these: it was made from an image of ours.
  static func ofOurs(_ machine: UUID) -> DiskRecord { DiskRecord(instance: machine, properties: ImageProperties()) }

  /// Nil where there is none. One that cannot be read is an error: a guess would start the machine as another one.
  static func read(_ path: String) throws -> DiskRecord? {
    guard MachineFiles.exists(path) else { return nil }
    guard let data = FileManager.default.contents(atPath: path),
      let record = try? JSONDecoder().decode(DiskRecord.self, from: data)
    else { throw DriverError(.rejected, "\(path) cannot be read") }
    return record
  }

  func write(to path: String) throws { try PrivateFile.write(Array(try JSONEncoder().encode(self)), to: path) }
}
