import Core
import Foundation
import PrivateFiles

/// Exists in the folder of a machine whose disk is a copy of a template's, until its first start from memory has succeeded.
/// After that the machine is like any other.
struct CloneRecord: Codable, Equatable {
  let template: UUID
  let shape: MachineShape
  /// The path of the image from which a new disk is made in case of doubt.
  let image: String
  /// The hardware address of its network card.
  let card: String
  /// Whether a start from memory has begun. If the record still exists later, its result is unknown.
  var isTried = false

  /// Nil if there is none; throws if it cannot be read.
  static func read(_ path: String) throws -> CloneRecord? {
    guard MachineFiles.exists(path) else { return nil }
    guard let data = FileManager.default.contents(atPath: path),
      let record = try? JSONDecoder().decode(CloneRecord.self, from: data)
    else { throw DriverError(.rejected, "\(path) cannot be read") }
    return record
  }

  func write(to path: String) throws { try PrivateFile.write(Array(try JSONEncoder().encode(self)), to: path) }
}
