import Core
import Foundation

/// Which board a machine has. `q35` is another one with each version of QEMU, and a guest would find other hardware after an
/// upgrade of its host: so what it was at first is remembered.
enum MachineType {
  static let newest = "q35"

  /// As libvirt understood it; nil where there is none of ours.
  static func defined(in definition: String) -> String? {
    guard let start = definition.firstRange(of: " machine='")?.upperBound,
      let end = definition[start...].firstIndex(of: "'")
    else { return nil }
    let name = String(definition[start..<end])
    return isPinned(name) ? name : nil
  }

  /// Nil where there is none. One that is unfit is an error: a guess would give a guest other hardware.
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
