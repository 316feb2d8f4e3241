import Core
import Foundation
package import HostPrograms
import PrivateFiles

/// Makes a new version of an image: its source is fetched and verified, then checked and converted by confined programs, and
/// published whole or not at all. Blocks.
package struct ImageAddition: Sendable {
  package let store: ImageStore
  package let name: String
  package let source: ImageSource
  package let properties: ImageProperties
  package var osName: String?
  /// Nil for the size of the image's disk.
  package var minimumDiskGiB: Int?
  package var limits = ImageLimits()
  /// An existing version: nothing is fetched if its publisher still lists the same source.
  package var known: ImageDescription?
  /// For the version's name: `20250110`.
  package let date: String
  package var progress: (@Sendable (Progress) -> Void)?
  /// Stops the addition; the bytes of a download are kept.
  package var stop = StopSignal()

  package enum Progress: Sendable {
    case downloading(DownloadProgress)
    case checking
    case converting
  }

  package struct Added: Sendable {
    package let version: String
    package let description: ImageDescription
    /// False if the version existed already.
    package let isNew: Bool
  }

  package init(store: ImageStore, name: String, source: ImageSource, properties: ImageProperties, date: String) {
    self.store = store
    self.name = name
    self.source = source
    self.properties = properties
    self.date = date
  }

  package func run() throws -> Added {
    let folder = try WorkFolder(for: name, in: store, until: stop)
    do {
      let added = try add(in: folder)
      try folder.remove()
      return added
    } catch {
      let error = Self.worded(error)
      // A partial download is kept only if another attempt may succeed and there is room for it.
      let isWorthAnother = source.url != nil && (error as? ImageRefusal)?.kind == .failed && folder.hasRoom
      try folder.clear(keepingDownload: isWorthAnother)
      if !isWorthAnother || !folder.hasDownload { try folder.remove() }
      throw error
    }
  }

  private static func worded(_ error: any Error) -> any Error {
    switch error {
    case is ImageRefusal: error
    case let error as DriverError: ImageRefusal.failed("\(error.detail.prefix(500)).")
    case let error as HostError: ImageRefusal.failed("\(error.description).")
    default: error
    }
  }

  private func add(in folder: WorkFolder) throws -> Added {
    if let known, try isUnchanged(known, in: folder) {
      return Added(version: known.version, description: known, isNew: false)
    }
    let (file, digests) = try obtain(in: folder)
    let bytes = try RegularFile.size(of: "\(folder.workbench)/\(file)")
    if bytes == 0 { throw ImageRefusal.unfit("\(subject) is empty.") }
    let sum = try digests.first { $0.algorithm == .sha256 } ?? folder.digest(.sha256, of: file, bytes: bytes)
    let suffix = try versionSuffix(sum)
    if let version = store.versions(of: name).last(where: { $0.hasSuffix("-\(suffix)") }),
      let description = try? store.description(of: name, version: version)
    {
      try Publication(store: store, name: name).pointCurrent(to: version)
      return Added(version: version, description: description, isNew: false)
    }
    progress?(.converting)
    let disk = try DiskConversion(folder: folder, subject: subject, limits: limits).disk(of: file)
    return try publish(disk, sum, digests, "\(date)-\(suffix)", in: folder)
  }

  /// Whether the publisher still lists the digest of this version's source.
  private func isUnchanged(_ known: ImageDescription, in folder: WorkFolder) throws -> Bool {
    guard let wanted = try ImagePublisher(source: source, limits: limits, progress: nil).listedDigest(in: folder) else {
      return false
    }
    return [known.sourceSHA256, known.sourceSHA512].contains(wanted.text)
  }

  private var subject: String { source.file ?? source.url ?? name }

  // MARK: - The source

  /// Copies or fetches the source. Returns the digests that it was verified against; none where no digest is known.
  private func obtain(in folder: WorkFolder) throws -> (file: String, digests: [Digest]) {
    let file = WorkFolder.download
    if let path = source.file {
      try folder.clear(keepingDownload: false)
      try copy(path, to: file, in: folder)
      progress?(.checking)
      guard let wanted = source.sha256.flatMap({ Digest(hexadecimal: $0) }) else { return (file, []) }
      try require(wanted, of: file, in: folder)
      return (file, [wanted])
    }
    let publisher = ImagePublisher(source: source, limits: limits, progress: progress)
    return (file, try publisher.fetch(to: file, in: folder))
  }

  /// The copy is both checked and used, whatever happens to the file meanwhile. A link is refused, because it could lead to a
  /// file that only root may read.
  private func copy(_ path: String, to file: String, in folder: WorkFolder) throws {
    var status = stat()
    guard lstat(path, &status) == 0 else { throw ImageRefusal.notFound("There is no file \(path).") }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFLNK: throw ImageRefusal.unfit("\(path) is a link: name the file itself.")
    case S_IFDIR: throw ImageRefusal.unfit("\(path) is a folder.")
    default: throw ImageRefusal.unfit("\(path) is no file of bytes, but a device, a pipe or a socket.")
    }
    let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw HostError.last("open \(path)") }
    defer { close(descriptor) }
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw ImageRefusal.unfit("\(path) is no file of bytes.")
    }
    if status.st_nlink > 1 { throw ImageRefusal.unfit("\(path) is the file of other names, too: copy it first.") }
    if status.st_size == 0 { throw ImageRefusal.unfit("\(path) is empty.") }
    guard status.st_size <= limits.sourceBytes else {
      throw ImageRefusal.unfit(
        "\(path) has \(status.st_size) bytes, more than the \(limits.sourceBytes) that are taken.")
    }
    let target = "\(folder.workbench)/\(file)"
    var program = HostProgram("cp", ["--reflink=auto", "--sparse=always", "/dev/stdin", target])
    program.inputFile = descriptor
    let ending = try folder.endSparingly(program, within: .forBytes(Int64(status.st_size)))
    guard ending.exitStatus == 0 else { throw ImageRefusal.failed("\(path) cannot be copied: \(ending.words)") }
    guard chmod(target, 0o600) == 0 else { throw HostError.last("chmod \(target)") }
    try folder.user.takeIfPossible(target)
  }

  private func require(_ wanted: Digest, of file: String, in folder: WorkFolder) throws {
    let bytes = try RegularFile.size(of: "\(folder.workbench)/\(file)")
    let found = try folder.digest(wanted.algorithm, of: file, bytes: bytes)
    guard found == wanted else {
      throw ImageRefusal.unfit("\(subject) has the \(found.algorithm.name) \(found.text), and not \(wanted.text).")
    }
  }

  // MARK: - The version

  /// A suffix that is the same for the same source with the same properties.
  private func versionSuffix(_ sum: Digest) throws -> String {
    var description = ImageDescription(name: name, version: "")
    description.osName = osName
    description.minimumDiskGiB = minimumDiskGiB
    description.sourceSHA256 = sum.text
    description.properties = properties
    let words = try HostProgram("sha256sum", [], input: Array(description.json)).run(within: .seconds(30))
    return String(words.prefix(12))
  }

  private func publish(
    _ disk: DiskConversion.Disk, _ sum: Digest, _ digests: [Digest], _ version: String, in folder: WorkFolder
  ) throws -> Added {
    let gibibytes = Int((disk.virtualSizeBytes + (1 << 30) - 1) >> 30)
    if let minimumDiskGiB, minimumDiskGiB < gibibytes {
      throw ImageRefusal.unfit("\(subject) needs a disk of \(gibibytes) GiB: --minimum-disk is too small.")
    }
    var description = ImageDescription(name: name, version: version)
    description.osName = osName
    description.virtualSizeBytes = disk.virtualSizeBytes
    description.minimumDiskGiB = minimumDiskGiB ?? gibibytes
    let publication = Publication(store: store, name: name)
    try publication.stage("\(folder.workbench)/\(disk.file)", in: folder.path)
    description.sha256 = try folder.digest(.sha256, of: Publication.stagedDisk, bytes: disk.sizeBytes).text
    description.source = source
    description.sourceSHA256 = sum.text
    description.sourceSHA512 = digests.first { $0.algorithm == .sha512 }?.text
    description.properties = properties
    try publication.publish(description, from: folder.path)
    return Added(version: version, description: description, isNew: true)
  }
}
