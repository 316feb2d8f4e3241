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

  static func isPinned(_ name: String) -> Bool {
    name.hasPrefix("pc-q35-") && name.utf8.count <= 32
      && name.utf8.dropFirst(7).allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
  }
}
