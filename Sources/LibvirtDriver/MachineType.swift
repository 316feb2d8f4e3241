import Core
import Foundation

/// The board of a machine. `q35` means another board with each version of QEMU, so that a guest would find other hardware after
/// an upgrade of its host. Therefore the versioned type of the first definition is stored.
enum MachineType {
  static let newest = "q35"

  /// The versioned type in a definition that libvirt returned; nil where it has none.
  static func defined(in definition: String) -> String? {
    guard let start = definition.firstRange(of: " machine='")?.upperBound,
      let end = definition[start...].firstIndex(of: "'")
    else { return nil }
    let name = String(definition[start..<end])
    return isPinned(name) ? name : nil
  }

  /// Nil where there is no file. Invalid content throws: a guess would give a guest other hardware.
  static func read(_ path: String) throws -> String? {
    guard MachineFiles.exists(path) else { return nil }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw DriverError(.rejected, "\(path) cannot be read")
    }
    let name = String(decoding: data, as: UTF8.self)
    guard isPinned(name) else { throw DriverError(.rejected, "\(path) has no type of a machine in it") }
    return name
  }

  static func isPinned(_ name: String) -> Bool {
    name.hasPrefix("pc-q35-") && name.utf8.count <= 32
      && name.utf8.dropFirst(7).allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
  }
}
