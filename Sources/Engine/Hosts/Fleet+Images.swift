import Core

/// What is known of images that hosts lack. No host is asked, so that a create is refused at once.
extension Fleet {
  /// Throws `unavailable`, with the shortest wait, where no host of the location can get the system's image now.
  func requireImage(of system: OperatingSystem, at location: String) throws(Failure) {
    let isOwn = hosts.contains { $0.location == location } || haveOthersHost(at: location)
    let place = isOwn ? location : nil
    // What the hosts of other services lack is not known here.
    guard !haveOthersHost(at: place) else { return }
    try requireImage(of: system, on: hosts.filter { $0.location == place }, "at \(location) ")
  }

  /// The same for the one host that a server is on.
  func requireImage(of system: OperatingSystem, on host: ID<Host>) throws(Failure) {
    try requireImage(of: system, on: [self[host]].compactMap { $0 }, "")
  }

  private func requireImage(
    of system: OperatingSystem, on hosts: [FleetHost], _ place: String
  ) throws(Failure) {
    var shortest: Duration?
    for host in hosts {
      guard case .unavailable(let wait) = host.driver.knownAbsence(ofImage: system.imageName) else { return }
      shortest = min(shortest ?? wait, wait)
    }
    guard let shortest else { return }
    throw Failure(
      .unavailable(retryAfterSeconds: Int(max(1, (shortest.milliseconds + 999) / 1000))),
      "\(system.name) is not available \(place)at the moment.")
  }

  /// The progress of the image that a new server waits for, as a sentence; nil where none is fetched for it.
  func fetch(for server: Server, of system: OperatingSystem) -> String? {
    guard server.status == .provisioning, server.machine.imageVersion == nil,
      case .beingFetched(let fetch) = self[server.hostID]?.driver.knownAbsence(ofImage: system.imageName)
    else { return nil }
    switch fetch {
    case .waiting: return "\(system.name) is downloaded for its first server as soon as other downloads are done."
    case .preparing: return "\(system.name) was downloaded for its first server, and is being prepared."
    case .downloading(let bytes, let totalBytes):
      let total = totalBytes.map { " of \(Self.megabytes($0))" } ?? ""
      return "\(system.name) is being downloaded for its first server: \(Self.megabytes(bytes))\(total) MB."
    }
  }

  private static func megabytes(_ bytes: Int64) -> Int64 { max(0, bytes) / 1_000_000 }
}
