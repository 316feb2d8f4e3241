import Core
import Foundation

/// A listening TCP socket, as listed in /proc/net/tcp and tcp6.
struct ListeningSocket: Equatable {
  /// The local address in hexadecimal, as listed: its bytes in network order, printed as 32-bit numbers in the machine's byte
  /// order.
  let place: String
  let port: UInt16
  let user: UInt32

  init(place: String, port: UInt16, user: UInt32) {
    (self.place, self.port, self.user) = (place, port, user)
  }

  /// Nil for a socket that does not listen.
  init?(line: some StringProtocol) {
    // Index, local end, remote end, and state: 0A is LISTEN. The user follows after queues, timer and retries.
    let words = line.split(separator: " ", maxSplits: 8)
    let end = words.count > 7 && words[3] == "0A" ? words[1].split(separator: ":") : []
    guard end.count == 2, let port = UInt16(end[1], radix: 16), let user = UInt32(words[7]) else { return nil }
    self.init(place: String(end[0]), port: port, user: user)
  }

  /// - Parameter lines: One table: its heading, the listening sockets, and then all connections, which are not read.
  static func all(in lines: some Sequence<some StringProtocol>) -> [ListeningSocket] {
    var sockets: [ListeningSocket] = []
    for line in lines.dropFirst() {
      guard let socket = ListeningSocket(line: line) else { break }
      sockets.append(socket)
    }
    return sockets
  }

  /// Empty where there is no such file.
  static func all(inFile path: String) -> [ListeningSocket] {
    guard let file = fopen(path, "re") else { return [] }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 512)
    return all(
      in: AnyIterator { () -> String? in
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        return String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      })
  }

  /// The `place` of sockets that listen at this address: as IPv4, and as IPv4-mapped IPv6.
  static func places(of address: IPv4Address) -> Set<String> {
    let own = hex(address.number.bigEndian)
    return [own, hex(0) + hex(0) + hex(UInt32(0xFFFF).bigEndian) + own]
  }

  /// The `place` of sockets that listen at every address.
  static let everywhere: Set = [hex(0), String(repeating: hex(0), count: 4)]

  private static func hex(_ number: UInt32) -> String {
    let digits = String(number, radix: 16, uppercase: true)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  /// The address; nil for IPv6.
  var address: IPv4Address? {
    place.count == 8 ? UInt32(place, radix: 16).map { IPv4Address(number: $0.byteSwapped) } : nil
  }
}
