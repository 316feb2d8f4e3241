import Core
import Foundation

extension Diagnosis {
  private static let leastBytes: Int64 = 1 << 30
  private static let leastMiB = 512
  /// A change is synced to the disk before it is answered, so a slow disk makes people wait.
  private static let slowSyncMilliseconds = 50

  static func folders(_ facts: HostFacts) -> [Finding] {
    facts.folders.flatMap { folder -> [Finding] in
      var found: [Finding] = []
      let remedy = "make room, or set \(folder.key) to a larger disk  (vpsd image prune removes unused images)"
      let free =
        "\(folder.freeBytes >> 20) MiB of \(folder.totalBytes >> 20) are free in \(folder.path) (\(folder.key))"
      if folder.freeBytes < leastBytes {
        found.append(
          .error(.disk, free, "guests are paused when they write, and changes are refused (503)", remedy: remedy))
      } else if folder.freeBytes < folder.totalBytes / 10 {
        found.append(.warning(.disk, free, "disks of servers grow as they are written to", remedy: remedy))
      }
      if let permille = folder.freeFilesPermille, permille < 50 {
        found.append(
          .warning(
            .disk, "\(folder.path) can have few more files (\(permille) of 1000)",
            "soon none can be made, whatever is free",
            remedy: "df -i \(folder.path)"))
      }
      if let milliseconds = folder.syncMilliseconds, milliseconds > slowSyncMilliseconds {
        found.append(
          .warning(
            .disk, "a small file takes \(milliseconds) ms to be on the disk of \(folder.path)",
            "each change waits for that at least once", remedy: "iostat -x 5  (and set \(folder.key) to a faster disk)")
        )
      }
      return found
    }
  }

  static func memory(_ facts: HostFacts) -> [Finding] {
    guard let memory = facts.memory else { return [] }
    var found: [Finding] = []
    if memory.availableMiB < leastMiB {
      found.append(
        .error(
          .memory, "\(memory.availableMiB) MiB of memory are available",
          "the kernel may end QEMUs, and servers with them",
          remedy:
            "vpsd host drain \(facts.hostName.escaped())  (and see what has it: ps -eo rss,args --sort -rss | head)"))
    }
    if memory.reservedMiB > memory.totalMiB + memory.swapMiB {
      found.append(
        .warning(
          .memory,
          "servers were promised \(memory.reservedMiB) MiB, and the host has \(memory.totalMiB) and \(memory.swapMiB) of swap",
          "when they use it, the kernel ends some of them", remedy: "set overcommit_memory lower, or add swap"))
    }
    return found
  }

  static func pools(_ facts: HostFacts) -> [Finding] {
    facts.pools.compactMap { pool in
      let free = pool.size - pool.taken
      let text = "\(free) of \(pool.size) addresses of the pool \(pool.text) are free"
      let remedy = "add a network to address_pool"
      if free <= 0 { return .error(.pools, text, "nobody can order a server there", remedy: remedy) }
      return free * 20 < pool.size
        ? .warning(.pools, text, "soon nobody can order a server there", remedy: remedy) : nil
    }
  }

  static func ports(_ facts: HostFacts) -> [Finding] {
    var found: [Finding] = facts.listeners.compactMap { listener in
      guard let obstacle = listener.obstacle else { return nil }
      return .error(
        .ports, "\(listener.address) (\(listener.key)) cannot be listened to: \(obstacle)",
        "the service does not start",
        remedy: "ss -ltnp 'sport = :\(listener.address.port)'  (or set \(listener.key))")
    }
    if !facts.answers {
      found.append(
        .error(
          .ports, "the service runs, and nobody listens where it says", "nobody reaches it",
          remedy: "journalctl -u vpsd; systemctl restart vpsd"))
    }
    for (wanted, other) in facts.shiftedPorts.sorted(by: { $0.key < $1.key }) where wanted != other {
      found.append(
        .warning(
          .ports, "port \(wanted) of servers is at port \(other) of their addresses",
          "a program of this host had it when it was chosen",
          remedy: "ss -ltnp 'sport = :\(wanted)'  (docs/operating.md, Ports that others hold)"))
    }
    return found
  }

  static func network(_ facts: HostFacts) -> [Finding] {
    guard facts.configuration.hasTaps || facts.configuration.hasRoutedContainers, facts.isServed else { return [] }
    var found: [Finding] = facts.networkProblems.map {
      .error(.network, $0, "servers may not be reached, or reach more than they should", remedy: "vpsd network status")
    }
    if !facts.forwardsPackets, facts.configuration.isRouting {
      found.append(
        .error(
          .network, "the kernel forwards no packets (net.ipv4.ip_forward)",
          "no server of the routed network is reached",
          remedy: "sysctl net.ipv4.ip_forward=1"))
    }
    return found
  }

  static func permissions(_ facts: HostFacts) -> [Finding] {
    var found: [Finding] = []
    if let reason = facts.unsafeDirectory {
      found.append(
        .error(
          .permissions, reason, "every command refuses to work on it",
          remedy: "ls -ld \(facts.configuration.dataDirectory.path)"))
    }
    for file in facts.privateFiles where file.permissions & 0o077 != 0 {
      found.append(
        .error(
          .permissions, "others may read or write \(file.path)", "it has what only vpsd may know",
          remedy: "chmod go= \(file.path)"))
    }
    return found
  }

  /// Tolerates a copy that is some hours late, and a check just before the next copy.
  static func stateBackups(_ facts: HostFacts) -> [Finding] {
    let settings = facts.configuration.stateBackups
    let meaning = "whoever loses this disk loses all accounts, and what each server is"
    guard let folder = settings.directory?.path else {
      // A simulated service has nothing to lose, and a PostgreSQL server has backups of its own.
      guard facts.configuration.driver == .libvirt, facts.configuration.database == nil else { return [] }
      return [
        .warning(
          .backups, "the state is copied nowhere", meaning,
          remedy: "set state_backups.directory to a folder of another disk (docs/operating.md, The state, kept twice)")
      ]
    }
    switch facts.stateBackupAge {
    case .minutes(let age)? where age > 2 * settings.everyMinutes:
      let text = age >= 2 * 1440 ? "\(age / 1440) days" : "\(age / 60) hours"
      return [
        .warning(
          .backups,
          "the newest copy of the state in \(folder) is \(text) old, and there is to be one every "
            + StateBackupSettings.text(minutes: settings.everyMinutes), meaning, remedy: "journalctl -u vpsd")
      ]
    case HostFacts.StateBackupAge.none?:
      return [
        .warning(.backups, "there is no copy of the state in \(folder)", meaning, remedy: "journalctl -u vpsd")
      ]
    case .minutes?, nil: return []
    }
  }

  static func database(_ facts: HostFacts) -> [Finding] {
    var found: [Finding] = []
    switch facts.database {
    case .missing(let reason):
      found.append(.warning(.database, reason, "there is nothing to look at yet", remedy: "vpsd serve"))
    case .unusable(let reason):
      found.append(
        .error(.database, reason, "neither the service nor a command can work", remedy: "vpsd restore-state FILE"))
    case .open(let contradictions, let logBytes):
      found += contradictions.map {
        .error(
          .database, "it contradicts itself: \($0)", "a promise is broken that money or customers depend on",
          remedy: "vpsd backup-state FILE  (and tell whoever maintains vpsd)")
      }
      if logBytes > 1 << 30 {
        found.append(
          .warning(
            .database, "the database's log has \(logBytes >> 20) MiB", "some program reads the database and never ends",
            remedy: "fuser -v \(DataDirectory(facts.configuration.dataDirectory).database)"))
      }
    }
    if let fault = facts.keyFault {
      found.append(
        .error(
          .database, fault, "guests go on without their user data",
          remedy: "cp FILE.key \(DataDirectory(facts.configuration.dataDirectory).secretKey)"))
    }
    return found
  }
}
