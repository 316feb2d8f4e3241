import Core
import Foundation
import HostPrograms
import PrivateFiles

/// The folder in which an image is made: `.adding-NAME` of the store, which one process holds at a time. The next process takes
/// over the folder of one that was killed and continues its download, or `prune` removes it.
final class WorkFolder {
  /// Our own part, in which confined programs cannot write.
  let path: String
  /// The folder of the programs, which have a user of their own.
  let workbench: String
  let user: FileOwner
  /// Set when the image is no longer wanted.
  private let wanted: StopSignal
  private let descriptor: Int32
  /// Whether this process has already cleared the workbench, so that everything in it is its own.
  private var isTakenOver = false

  static let prefix = ".adding-"
  static let download = "download"

  /// Does not wait: throws `busy` where another process adds an image of this name.
  init(for name: String, in store: ImageStore, until stop: StopSignal = StopSignal()) throws {
    wanted = stop
    path = "\(store.directory)/\(Self.prefix)\(name)"
    workbench = "\(path)/work"
    user = Confinement.newUser()
    try store.makeDirectory()
    guard let descriptor = try Self.lock(path, creating: true) else {
      throw ImageRefusal.busy("Another process is adding the image \(name).")
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Nil where another process holds the folder, or where it does not exist and `creating` is false.
  private static func lock(_ path: String, creating: Bool) throws -> Int32? {
    while true {
      if creating {
        guard mkdir(path, 0o711) == 0 || errno == EEXIST else { throw HostError.last("make \(path)") }
      }
      let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard descriptor >= 0 else {
        if errno == ENOENT { if creating { continue } else { return nil } }
        throw HostError.last("open \(path)")
      }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        close(descriptor)
        return nil
      }
      // The previous holder may have removed the folder since it was opened.
      var (ours, there) = (stat(), stat())
      if fstat(descriptor, &ours) == 0, lstat(path, &there) == 0, ours.st_ino == there.st_ino {
        // The programs must be able to reach their workbench, whatever the umask is.
        fchmod(descriptor, 0o711)
        return descriptor
      }
      close(descriptor)
      if !creating { return nil }
    }
  }

  /// Empties the workbench, except for the download if it is to be continued.
  func clear(keepingDownload: Bool) throws {
    let kept = "\(path)/\(Self.download)"
    let download = "\(workbench)/\(Self.download)"
    if !keepingDownload {
      try remove(kept)
    } else if RegularFile.isThere(download) {
      try remove(kept)
      guard rename(download, kept) == 0 else { throw HostError.last("rename \(download)") }
    }
    try remove(workbench)
    guard mkdir(workbench, 0o700) == 0 else { throw HostError.last("make \(workbench)") }
    try user.takeIfPossible(workbench)
    if keepingDownload, RegularFile.isThere(kept) {
      let file = isTakenOver ? kept : try copy(kept)
      try user.takeIfPossible(file)
      guard rename(file, download) == 0 else { throw HostError.last("rename \(file)") }
      try remove(kept)
    }
    isTakenOver = true
  }

  /// Copies the download, because a program of an earlier process may still have the original open.
  private func copy(_ kept: String) throws -> String {
    let taken = "\(path)/taken"
    try remove(taken)
    try RegularFile.withOpen(kept) { descriptor in
      var program = HostProgram("cp", ["--reflink=auto", "--sparse=always", "/dev/stdin", taken])
      program.inputFile = descriptor
      let ending = try endSparingly(program, within: .forBytes(RegularFile.size(of: kept)))
      guard ending.exitStatus == 0 else { throw ImageRefusal.failed("\(kept) cannot be copied: \(ending.words)") }
    }
    guard chmod(taken, 0o600) == 0 else { throw HostError.last("chmod \(taken)") }
    return taken
  }

  var hasDownload: Bool { ((try? RegularFile.size(of: "\(workbench)/\(Self.download)")) ?? 0) > 0 }

  /// Removes the whole folder, when it is no longer needed.
  func remove() throws {
    try remove(path)
  }

  private func remove(_ path: String) throws { try Self.remove(path) }

  private static func remove(_ path: String) throws {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch CocoaError.fileNoSuchFile {
    }
  }

  /// Removes the folders that no process holds, and returns the names of their images.
  static func removeAbandoned(in store: ImageStore) throws -> [String] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: store.directory)) ?? []
    var names: [String] = []
    for entry in entries.sorted() where entry.hasPrefix(prefix) {
      let path = "\(store.directory)/\(entry)"
      guard let descriptor = try lock(path, creating: false) else { continue }
      defer { close(descriptor) }
      try remove(path)
      names.append(String(entry.dropFirst(prefix.count)))
    }
    return names
  }

  // MARK: - Programs

  /// Runs a confined program, which reads untrusted files, on the workbench.
  func end(
    _ name: String, _ arguments: [String], fileBytes: Int64, within limit: Duration, hasNetwork: Bool = false,
    input: [UInt8] = [], environment: [String: String] = [:], whileItRuns look: (() -> Void)? = nil
  ) throws -> HostProgram.Ending {
    var confinement = Confinement(user: user, fileBytes: fileBytes)
    confinement.hasNetwork = hasNetwork
    confinement.processorSeconds = Int(limit.components.seconds) + 10
    var program = HostProgram(name, arguments, input: input, outputLimitBytes: 65_536)
    program.confinement = confinement
    program.folder = workbench
    program.environment = environment
    do {
      if fileBytes == 0 { return try program.end(within: limit, stop: wanted, whileItRuns: look) }
      return try endSparingly(program, within: limit, whileItRuns: look)
    } catch let error as DriverError where error.kind == .unreachable {
      throw ImageRefusal.failed("\(name) did not end within \(limit.components.seconds) seconds.")
    } catch  where wanted.isSet {
      throw Self.stopped
    }
  }

  private static let stopped = ImageRefusal.failed("It was stopped, and is gone on with another time.")

  /// Kept free on the host's disk: running servers go on writing to it, and pause where it is full.
  private static let reserveBytes: Int64 = 1 << 30

  var hasRoom: Bool {
    var fileSystem = statvfs()
    guard statvfs(path, &fileSystem) == 0 else { return true }
    return Int64(clamping: UInt64(fileSystem.f_bavail)) * Int64(fileSystem.f_frsize) >= Self.reserveBytes
  }

  /// Runs a program that writes, and stops it where it would leave less than the reserve.
  func endSparingly(
    _ program: HostProgram, within limit: Duration, whileItRuns look: (() -> Void)? = nil
  ) throws -> HostProgram.Ending {
    let noRoom = ImageRefusal.failed(
      "There is no room: \(Self.reserveBytes >> 30) GiB must stay free for servers at \(path).")
    guard hasRoom else { throw noRoom }
    let stop = StopSignal()
    do {
      return try program.end(within: limit, stop: stop) {
        look?()
        if self.wanted.isSet || !self.hasRoom { stop.set() }
      }
    } catch  where stop.isSet {
      throw wanted.isSet ? Self.stopped : noRoom
    }
  }

  func digest(_ algorithm: Digest.Algorithm, of file: String, bytes: Int64) throws -> Digest {
    let ending = try end(algorithm.program, ["--binary", file], fileBytes: 0, within: .forBytes(bytes))
    guard ending.exitStatus == 0, let digest = Digest(hexadecimal: ending.output.prefix { $0 != " " }) else {
      throw ImageRefusal.failed("\(algorithm.program) failed: \(ending.words)")
    }
    return digest
  }
}

extension FileOwner {
  /// A process that is not root has no other users, and leaves the owner as it is.
  func takeIfPossible(_ path: String) throws { if geteuid() == 0 { try take(path) } }
}

extension Duration {
  /// The time limit for a slow disk with other users: five minutes, and a second for each 4 MiB.
  static func forBytes(_ bytes: Int64) -> Duration { .seconds(300 + bytes / (4 << 20)) }
}

extension HostProgram.Ending {
  /// The program's output in one line, or how it ended where it wrote nothing.
  var words: String {
    let text = output.prefix(300).split(whereSeparator: \.isNewline).joined(separator: " ")
    return text.isEmpty ? signal.map { "signal \($0)" } ?? "exit status \(exitStatus ?? 0)" : text
  }
}

/// Reads files that others could have written: only regular files, and without following links.
enum RegularFile {
  static func isThere(_ path: String) -> Bool { (try? size(of: path)) != nil }

  static func size(of path: String) throws -> Int64 {
    var status = stat()
    guard lstat(path, &status) == 0 else { throw HostError.last("look at \(path)") }
    guard status.st_mode & S_IFMT == S_IFREG else { throw HostError(call: "look at \(path)", number: EINVAL) }
    return Int64(status.st_size)
  }

  static func withOpen<Value>(_ path: String, _ body: (Int32) throws -> Value) throws -> Value {
    let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw HostError.last("open \(path)") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw HostError(call: "open \(path)", number: EINVAL)
    }
    return try body(descriptor)
  }

  /// The first bytes of the file.
  static func bytes(of path: String, atMost limit: Int) throws -> [UInt8] {
    try withOpen(path) { descriptor in
      var bytes = [UInt8](repeating: 0, count: limit)
      var count = 0
      while count < limit {
        let result = bytes.withUnsafeMutableBytes {
          pread(descriptor, $0.baseAddress! + count, limit - count, off_t(count))
        }
        if result < 0, errno == EINTR { continue }
        guard result >= 0 else { throw HostError.last("read \(path)") }
        if result == 0 { break }
        count += result
      }
      return Array(bytes.prefix(count))
    }
  }
}
