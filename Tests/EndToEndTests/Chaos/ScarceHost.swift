import APIClient
import Foundation

/// Faults of what a host gives: room, addresses, images, and a database that can be written. None needs a guest to boot,
/// but for the full disk under a running one. Each returns how long the way out took.
enum ScarceHost {
  /// Its servers end in `error` without a machine, and then hold nothing of the host.
  private static let systemWithoutImage = 5
  private static let debian = 3

  private static func post(_ service: Service, system: Int = systemWithoutImage) async throws -> APIClient.Reply {
    let body = #"{"name": "scarce", "plan_id": 3, "os_id": \#(system), "location": "us-west"}"#
    return try await service.client().send("POST", "/servers/", json: Data(body.utf8))
  }

  private static func deleteAll(_ service: Service) async throws {
    let client = try service.client()
    for server in try await client.servers() {
      try await client.deleteServer(server.id)
      try await service.expectNoTrace(of: server)
    }
  }

  /// The next one beyond what there is, is refused and changes nothing; there is room again after a delete.
  private static func isRefused(_ service: Service, whenThereAre count: Int, detail: String) async throws -> Duration {
    for _ in 0..<count {
      let reply = try await post(service, system: debian)
      try expect(reply.status == 201, "a create was refused too early: \(reply.status) \(reply.text)")
    }
    let balance = try service.operate(["account", "list"])
    let refused = try await post(service, system: debian)
    try expect(refused.status == 503 && refused.text.contains(detail), "\(refused.status) \(refused.text)")
    let servers = try await service.client().servers()
    try expect(servers.count == count, "there are \(servers.count) servers")
    try expect(try service.operate(["account", "list"]) == balance, "a refused create cost something")
    return try await time {
      try await service.client().deleteServer(servers[0].id)
      try await service.expectNoTrace(of: servers[0])
      let reply = try await post(service, system: debian)
      try expect(reply.status == 201, "what was given back is not given again: \(reply.status) \(reply.text)")
      try await deleteAll(service)
    }
  }

  static func noAddress() async throws -> Duration {
    var recovery = Duration.zero
    try await Service.with(["VPSD_ADDRESS_POOL": "127.86.0.0/30"]) { service in
      recovery = try await isRefused(service, whenThereAre: 2, detail: "No free address at us-west.")
    }
    return recovery
  }

  /// Memory for three servers of 512 MiB: half of one is left.
  static func noMemory() async throws -> Duration {
    let hostMiB = Double(ProcessInfo.processInfo.physicalMemory >> 20)
    let usableMiB = hostMiB - min(hostMiB / 2, max(1024, hostMiB / 8))
    var recovery = Duration.zero
    try await Service.with(["VPSD_OVERCOMMIT_MEMORY": String(format: "%.6f", 1792 / usableMiB)]) { service in
      recovery = try await isRefused(service, whenThereAre: 3, detail: "No capacity at us-west for this plan.")
    }
    return recovery
  }

  // MARK: - Images

  /// How an image is damaged: what is written instead of it.
  enum Damage: CaseIterable {
    case overwritten, cutOff
  }

  static func corruptImage(_ damage: Damage) async throws -> Duration {
    let images = FileManager.default.temporaryDirectory.appendingPathComponent("vpsd-images-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: images) }
    let whole = Service.images + "/debian-12/current/disk.qcow2"
    let header = try FileHandle(forReadingFrom: URL(fileURLWithPath: whole)).read(upToCount: 65_536) ?? Data()
    try write(damage == .cutOff ? header : Data(repeating: 7, count: 65_536), as: "1", in: images)
    var recovery = Duration.zero
    try await Service.with(["VPSD_IMAGE_DIR": images.path]) { service in
      let client = try service.client()
      let balance = try service.operate(["account", "list"])
      let reply = try await post(service, system: debian)
      try expect(reply.status == 201, "\(reply.status) \(reply.text)")
      let server = try await eventually("an error", withinSeconds: 180) {
        try await client.servers().first { $0.status == "error" }
      }
      try expect(server.statusReason?.contains("image") == true, "the reason is \(server.statusReason ?? "none")")
      try expect(try service.operate(["account", "list"]) == balance, "it cost something")
      recovery = try await time {
        try await client.deleteServer(server.id)
        try await service.expectNoTrace(of: server)
        try FileManager.default.createDirectory(
          at: images.appendingPathComponent("debian-12/2"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
          atPath: images.path + "/debian-12/2/disk.qcow2", withDestinationPath: whole)
        try pointCurrent(to: "2", in: images)
        let next = try await post(service, system: debian)
        try expect(next.status == 201, "\(next.status) \(next.text)")
        _ = try await eventually("a machine", withinSeconds: 180) {
          try await client.servers().first.flatMap { service.machine(of: $0) }
        }
        try await deleteAll(service)
      }
    }
    return recovery
  }

  private static func write(_ data: Data, as version: String, in images: URL) throws {
    let folder = images.appendingPathComponent("debian-12/\(version)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try data.write(to: folder.appendingPathComponent("disk.qcow2"))
    try pointCurrent(to: version, in: images)
  }

  private static func pointCurrent(to version: String, in images: URL) throws {
    let link = images.path + "/debian-12/current"
    try FileManager.default.createSymbolicLink(atPath: link + ".new", withDestinationPath: version)
    // There is no moment without one: the service looks at any time.
    try expect(rename(link + ".new", link) == 0, "the link cannot be put in its place")
  }

  // MARK: - The database

  /// Another program keeps SQLite's lock for writers longer than anybody waits for it.
  static func lockedDatabase() async throws -> Duration {
    var recovery = Duration.zero
    try await Service.with { service in
      let client = try service.client()
      let lock = try WriterLock(onDatabase: service.data + "/vpsd.sqlite")
      async let health = client.send("GET", "/servers/")
      let refused = try await post(service)
      try expect(refused.status == 503, "a write into a locked database: \(refused.status) \(refused.text)")
      try expect(!refused.text.lowercased().contains("sqlite"), "the reply names its cause: \(refused.text)")
      let read = try await health
      try expect(read.status == 200, "a locked database cannot be read: \(read.status)")
      lock.release()
      recovery = try await time {
        try expect(try await client.servers().isEmpty, "a refused create is there")
        let reply = try await post(service)
        try expect(reply.status == 201, "\(reply.status) \(reply.text)")
        try await deleteAll(service)
      }
    }
    return recovery
  }

  /// The service does not start on a data directory that it cannot write, says so, and starts when it can.
  static func readOnlyDatabase() async throws -> Duration {
    var recovery = Duration.zero
    try await Service.with(["VPSD_OVERCOMMIT_STORAGE": "1000"], fileSystemMiB: 64) { service in
      let reply = try await post(service)
      try expect(reply.status == 201, "\(reply.status) \(reply.text)")
      _ = try service.operate(["shutdown", "--servers"])
      try service.remount("ro")
      do {
        try await service.start()
        throw Leak(description: "a service runs on a read-only data directory")
      } catch let error as Command.Failed {
        try expect(error.description.contains("Read-only file system"), "it does not say why: \(error)")
      }
      try service.remount("rw")
      recovery = try await time {
        try await service.start()
        try expect(try await service.client().servers().count == 1, "what was there is gone")
        try await deleteAll(service)
      }
    }
    return recovery
  }

  /// The disk of the host is full to the last byte: nothing can be written, and everything again once there is room.
  static func fullDisk() async throws -> Duration {
    var recovery = Duration.zero
    try await Service.with(["VPSD_OVERCOMMIT_STORAGE": "1000"], fileSystemMiB: 64) { service in
      let filler = try Filler(in: service.data)
      // The write-ahead log may hold some pages that can be used again.
      var refused: APIClient.Reply?
      for _ in 0..<100 where refused == nil {
        let reply = try await post(service)
        if reply.status != 201 { refused = reply }
      }
      try expect(refused?.status == 503, "a create on a full disk: \(refused?.status ?? 201) \(refused?.text ?? "")")
      try expect(try await service.client().send("GET", "/servers/").status == 200, "nothing can be read")
      try filler.remove()
      recovery = try await time {
        _ = try await eventually("the end of what was accepted", withinSeconds: 300) {
          try await service.client().servers().allSatisfy { $0.status == "error" } ? true : nil
        }
        let reply = try await post(service)
        try expect(reply.status == 201, "\(reply.status) \(reply.text)")
        try await deleteAll(service)
      }
    }
    return recovery
  }

  /// A guest that writes has its machine paused, and goes on with what it wrote once there is room.
  static func fullDiskUnderGuest() async throws -> Duration {
    var recovery = Duration.zero
    try await Service.with(["VPSD_OVERCOMMIT_STORAGE": "1000"], fileSystemMiB: 400) { service in
      let faults = try await SuddenDeaths(service)
      let server = try await faults.activeServer("full")
      let endpoint = try await active(server.id, service.client())
      let login = faults.login
      _ = try login.run("echo kept > /root/kept && sync", on: endpoint)
      let filler = try Filler(in: service.data)
      try login.send(
        "nohup dd if=/dev/urandom of=/root/big bs=1M count=48 conv=fsync >/dev/null 2>&1 &", to: endpoint)
      // Its server stays as it is, and an operator can see why it does nothing.
      _ = try await eventually("a paused machine", withinSeconds: 300) {
        try service.checked().output.contains("server \(server.id) is active, and its machine is paused") ? true : nil
      }
      try filler.remove()
      recovery = try await time {
        let client = try service.client()
        _ = try await eventually("an active server", withinSeconds: 300) {
          let now = try await client.server(server.id)
          try expect(now.status != "error", "a server that was only paused is in error: \(now.statusReason ?? "")")
          guard now.status == "active", service.machine(of: server) != nil else { return nil as Bool? }
          return (try? login.run("cat /root/kept", on: endpoint)) == "kept" ? true : nil
        }
        try await deleteAll(service)
      }
    }
    return recovery
  }
}

/// Takes all room that a file system has left.
struct Filler {
  private let path: String

  init(in directory: String) throws {
    path = directory + "/filler"
    try Data().write(to: URL(fileURLWithPath: path))
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    defer { try? handle.close() }
    for size in [1 << 20, 4096, 1] {
      let block = [UInt8](repeating: 0x5A, count: size)
      while Foundation.write(handle.fileDescriptor, block, size) == size {}
    }
  }

  func remove() throws { try FileManager.default.removeItem(atPath: path) }
}

/// The lock that SQLite takes for a write in WAL mode: a byte of the shared memory file.
/// https://www.sqlite.org/walformat.html#wal_locks
final class WriterLock {
  private let descriptor: Int32

  init(onDatabase path: String) throws {
    descriptor = open(path + "-shm", O_RDWR)
    var lock = flock()
    lock.l_type = Int16(F_WRLCK)
    lock.l_whence = Int16(SEEK_SET)
    lock.l_start = 120
    lock.l_len = 1
    guard descriptor >= 0, fcntl(descriptor, F_SETLKW, &lock) == 0 else {
      throw Command.Failed(description: "cannot lock \(path): \(String(cString: strerror(errno)))")
    }
  }

  func release() { close(descriptor) }
}
