import Core

/// The TCP ports that programs of this host listen to.
enum ListeningPorts {
  /// - Parameters:
  ///   - isAtEvery: Whether those count that listen at every address there is.
  ///   - files: As the kernel writes them: IPv4 and IPv6.
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
