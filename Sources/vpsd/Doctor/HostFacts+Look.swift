import Core
import Foundation
import HostImages
import HostPrograms
import LibvirtDriver
import PrivateFiles

extension HostFacts {
  /// Facts that need no database.
  mutating func lookAtHost() {
    isClockSynchronised = HostClock.isSynchronised
    if !isServed {
      listeners = [("listen", configuration.listen), ("metrics_listen", configuration.metricsListen)]
        .compactMap { key, address in
          address.map { Listener(key: key, address: $0, obstacle: $0.obstacle()) }
        }
    } else {
      answers = served.map { $0.isAnswered() } ?? false
    }
    forwardsPackets = Self.text("/proc/sys/net/ipv4/ip_forward").hasPrefix("1")
    guard configuration.driver == .libvirt else {
      if configuration.hasRoutedContainers { missingPrograms = Self.missing(Self.networkPrograms) }
      return
    }
    let support = Accelerator.support()
    processor = Processor(
      isCapable: support.isCapable, device: support.canOpenDevice ? .open : support.hasDevice ? .closed : .missing)
    missingPrograms = Self.missing(Self.programs(of: configuration))
    // The result does not depend on the installation's ID.
    emulatorObstacle = try? configuration.libvirt(UUID()).emulatorObstacle()
    memory = Self.memoryOfHost()
  }

  private typealias Program = (program: String, package: String, isNeeded: Bool)

  private static func missing(_ programs: [Program]) -> [Program] {
    programs.filter { HostProgram.path(of: $0.program) == nil }
  }

  private static let networkPrograms: [Program] = [
    ("ip", "iproute2", true), ("nft", "nftables", true), ("conntrack", "conntrack", true),
  ]

  /// The address at which the service says that it listens.
  private var served: ListenAddress? {
    let text = Self.text(DataDirectory(configuration.dataDirectory).url).trimmingCharacters(in: .whitespacesAndNewlines)
    return text.hasPrefix("http://") ? ListenAddress(String(text.dropFirst("http://".count))) : nil
  }

  private static func programs(of configuration: Configuration) -> [Program] {
    var programs: [Program] = [("qemu-system-x86_64", "qemu-system-x86", true), ("qemu-img", "qemu-utils", true)]
    if configuration.libvirtd == .own { programs.append(("libvirtd", "libvirt-daemon", true)) }
    if configuration.hasTaps || configuration.hasRoutedContainers { programs += networkPrograms }
    if configuration.network == .loopback, configuration.outbound != .no {
      programs.append(("slirp4netns", "slirp4netns", configuration.outbound == .yes))
    }
    if configuration.imageDownloads == .onDemand {
      programs += [
        ("curl", "curl", false), ("gpgv", "gpgv", false), ("xz", "xz-utils", false), ("zstd", "zstd", false),
      ]
    }
    return programs
  }

  private static func memoryOfHost() -> Memory? {
    var kibibytes: [Substring: Int] = [:]
    for line in text("/proc/meminfo").split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count > 1 { kibibytes[words[0]] = Int(words[1]) }
    }
    guard let total = kibibytes["MemTotal:"], let available = kibibytes["MemAvailable:"] else { return nil }
    return Memory(
      totalMiB: total / 1024, availableMiB: available / 1024, swapMiB: (kibibytes["SwapTotal:"] ?? 0) / 1024,
      reservedMiB: 0)
  }

  private static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}

extension HostFacts {
  /// Facts about files and disks.
  mutating func lookAtFiles() {
    let directory = DataDirectory(configuration.dataDirectory)
    do { try directory.requireOurs() } catch { unsafeDirectory = "\(error)" }
    let secrets = [directory.database, directory.token, directory.secretKey, configuration.notify.secretFile]
    privateFiles = secrets.compactMap { path in
      path.flatMap { path in FileStatus(path).map { PrivateFile(path: path, permissions: $0.permissions) } }
    }
    var seen: Set<Int> = []
    let places = [
      ("data_dir", configuration.dataDirectory), ("image_dir", configuration.imageDirectory),
      ("copy_dir", configuration.copyDirectory),
    ]
    for (key, url) in places {
      let path = Self.existing(url)
      let device = (try? FileManager.default.attributesOfItem(atPath: path))?[.systemNumber] as? Int
      guard seen.insert(device ?? -1).inserted, let folder = Self.folder(key, path) else { continue }
      folders.append(folder)
    }
    if unsafeDirectory == nil, folders.first?.path == directory.path {
      folders[0].syncMilliseconds = Self.syncMilliseconds(in: directory.path)
    }
  }

  mutating func lookAtImages(of catalogue: Catalogue) {
    guard configuration.driver == .libvirt else { return }
    let store = ImageStore(directory: configuration.imageDirectory.path)
    let known =
      configuration.imageDownloads == .onDemand ? Set(KnownImage.names(in: configuration.recipeDirectory)) : []
    images = catalogue.operatingSystems.filter(\.isAvailable).map { system in
      Image(
        system: system.name, name: system.imageName,
        isThere: (try? store.currentVersion(of: system.imageName)) != nil, isFetched: known.contains(system.imageName))
    }
  }

  /// The folder, or its closest parent that exists.
  private static func existing(_ url: URL) -> String {
    var url = url
    while access(url.path, F_OK) != 0, url.path != "/" { url.deleteLastPathComponent() }
    return url.path
  }

  private static func folder(_ key: String, _ path: String) -> Folder? {
    var system = statvfs()
    guard statvfs(path, &system) == 0 else { return nil }
    let block = Int64(system.f_frsize)
    return Folder(
      key: key, path: path, freeBytes: Int64(system.f_bavail) * block, totalBytes: Int64(system.f_blocks) * block,
      freeFilesPermille: system.f_files > 0 ? Int(system.f_favail * 1000 / system.f_files) : nil)
  }

  private static let syncTries = 5

  /// The median of several attempts; nil where nothing can be written.
  private static func syncMilliseconds(in folder: String) -> Int? {
    var tries: [Int] = []
    for number in 0..<syncTries {
      let path = "\(folder)/.doctor-\(getpid())-\(number)"
      let began = ContinuousClock.now
      guard (try? PrivateFiles.PrivateFile.create(new: path, "vpsd".utf8)) != nil else { return nil }
      unlink(path)
      tries.append(Int((ContinuousClock.now - began).milliseconds))
    }
    return tries.sorted()[syncTries / 2]
  }
}
