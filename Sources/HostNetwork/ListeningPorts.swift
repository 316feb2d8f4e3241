import Core
import Foundation

/// The TCP ports that programs of this host listen to.
enum ListeningPorts {
  /// - Parameters:
  ///   - isAtEvery: Whether those count that listen at every address there is.
  ///   - files: As the kernel writes them: IPv4 and IPv6, in each those that listen before all connections.
  static func current(
    at address: IPv4Address, in range: ClosedRange<Int>, isAtEvery: Bool = true,
    files: [String] = ["/proc/net/tcp", "/proc/net/tcp6"]
  ) -> Set<Int> {
    // Numbers of 32 bits as the machine has them, the address as it is on the wire.
    let own = hex(address.number.bigEndian)
    let nothing = hex(0)
    var places: Set = [own, nothing + nothing + hex(UInt32(0xFFFF).bigEndian) + own]
    if isAtEvery { places.formUnion([nothing, String(repeating: nothing, count: 4)]) }
    return files.reduce(into: []) { ports, file in
      for (place, port) in listeners(file) where range.contains(port) && places.contains(place) { ports.insert(port) }
    }
  }

  private static func hex(_ number: UInt32) -> String {
    let digits = String(number, radix: 16, uppercase: true)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  private static func listeners(_ path: String) -> [(place: String, port: Int)] {
    guard let file = fopen(path, "re") else { return [] }
    defer { fclose(file) }
    var listeners: [(place: String, port: Int)] = []
    var line = [CChar](repeating: 0, count: 512)
    var isHeading = true
    while fgets(&line, Int32(line.count), file) != nil {
      defer { isHeading = false }
      if isHeading { continue }
      // Its number, its own end, the other end, and its state: 0A is LISTEN.
      let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let words = text.split(separator: " ", maxSplits: 4)
      guard words.count > 3, words[3] == "0A" else { break }
      let end = words[1].split(separator: ":")
      if end.count == 2, let port = Int(end[1], radix: 16) { listeners.append((String(end[0]), port)) }
    }
    return listeners
  }
}
