import Core

/// The TCP ports that programs of this host listen on.
enum ListeningPorts {
  /// - Parameters:
  ///   - isAtEvery: Whether to include ports on which a program listens at every address.
  ///   - files: The kernel's tables for IPv4 and IPv6.
  static func current(
    at address: IPv4Address, in range: ClosedRange<Int>, isAtEvery: Bool = true,
    files: [String] = ["/proc/net/tcp", "/proc/net/tcp6"]
  ) -> Set<Int> {
    var places = ListeningSocket.places(of: address)
    if isAtEvery { places.formUnion(ListeningSocket.everywhere) }
    let sockets = files.flatMap(ListeningSocket.all(inFile:))
    return Set(sockets.filter { places.contains($0.place) }.map { Int($0.port) }).filter(range.contains)
  }
}
