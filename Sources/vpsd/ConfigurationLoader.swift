import Core
import Foundation
import HostNetwork

/// The sources of a configuration. A later one takes precedence.
struct ConfigurationLoader: Sendable {
  var workingDirectory: URL
  var executable: URL
  /// Paths in the file are relative to its folder.
  var file: URL?
  /// Paths in variables are relative to the working directory. An empty variable counts as not set.
  var environment: [String: String] = [:]
  /// Options of the command line, by key.
  var options: [String: String] = [:]

  /// - Returns: The valid configuration, and warnings for the operator.
  func load() throws(ConfigurationError) -> (configuration: Configuration, warnings: [String]) {
    var configuration = Configuration(workingDirectory: workingDirectory, executable: executable)
    let file = file.map { ConfigurationFile.read($0) }
    var problems = file?.problems ?? []
    let names = Set(ConfigurationKey.all.map(\.name))
    for entry in file?.entries ?? [] where !names.contains(entry.key) {
      let known = ConfigurationKey.all.map(\.name).joined(separator: ", ")
      problems.append(.init(origin: entry.origin, key: entry.key, message: "there is no such key. Known are: \(known)"))
    }
    for key in ConfigurationKey.all {
      for (origin, value) in sources(of: key, file) {
        guard let value else {
          problems.append(.init(origin: origin, key: key.name, message: "it must be \(key.rule)"))
          continue
        }
        if !key.apply(value, &configuration) {
          let shown = value.isList ? "[\(value.texts.joined(separator: ", "))]" : "\"\(value.texts.joined())\""
          let written = key.isSecret ? "it" : shown
          problems.append(.init(origin: origin, key: key.name, message: "\(written) is not \(key.rule)"))
        }
      }
    }
    for section in file?.locations ?? [] {
      configuration.locations[section.code] = settings(of: section, &problems)
    }
    if configuration.bandwidthOverage == .throttle, configuration.driver == .libvirt, !configuration.network.hasTaps {
      let key = "bandwidth_overage"
      problems.append(
        .init(
          origin: origin(of: key, file), key: key,
          message:
            "only servers in a routed network or on a bridge can be slow; at loopback addresses it is none or price"))
    }
    if configuration.stateBackups.directory != nil, configuration.database != nil {
      let key = "state_backups.directory"
      problems.append(
        .init(
          origin: origin(of: key, file), key: key,
          message: "it is for a database in a file; one of PostgreSQL is copied with pg_dump (docs/operating.md)"))
    }
    problems +=
      networkProblems(configuration, file) + bridgeProblems(configuration, file) + ownHostProblems(configuration, file)
      + forwardingProblems(configuration, file)
      + incusProblems(configuration, file) + sharedStorageProblems(configuration, file)
      + notifyProblems(configuration, file)
      + reverseNameProblems(configuration, file)
    guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
    return (configuration, warnings)
  }

  private func settings(
    of section: ConfigurationFile.Section, _ problems: inout [ConfigurationError.Problem]
  ) -> LocationSettings {
    var settings = LocationSettings()
    for entry in section.entries {
      let name = "\(ConfigurationFile.locationsKey).\(section.code).\(entry.key)"
      guard let key = LocationKey.all.first(where: { $0.name == entry.key }) else {
        let known = LocationKey.all.map(\.name).joined(separator: ", ")
        problems.append(.init(origin: entry.origin, key: name, message: "there is no such key. Known are: \(known)"))
        continue
      }
      if entry.value.map({ !key.apply($0, &settings) }) ?? true {
        problems.append(.init(origin: entry.origin, key: name, message: "it must be \(key.rule)"))
      }
    }
    if settings.hosts != nil, settings.driver == nil {
      problems.append(
        .init(
          origin: section.origin, key: "\(ConfigurationFile.locationsKey).\(section.code).hosts",
          message: "a location has hosts of its own only with a driver of its own"))
    }
    return settings
  }

  /// What is wrong with `forward_range`. It needs ports for every address of the private pools, whichever are in use.
  private func forwardingProblems(
    _ configuration: Configuration, _ file: ConfigurationFile?
  ) -> [ConfigurationError.Problem] {
    guard let range = configuration.forwardRange, configuration.driver == .libvirt || configuration.isRouting else {
      return []
    }
    let servers = HostNetworkSettings.privateRanges(of: configuration.addressPoolsHere)
    let forwarding = PortForwarding(
      address: nil, range: range, guestPorts: configuration.forwardedPorts, servers: servers)
    var message: String?
    if !configuration.isRouting {
      message =
        "it is for a routed network; at loopback addresses forwarded_ports are all that there is, and on a bridge none"
    } else if servers.isEmpty {
      message = "it is for private addresses, and the pools of this host have none"
    } else if forwarding.serverCount > forwarding.capacity {
      message =
        "\(range.count) ports are enough for \(forwarding.capacity) servers with \(configuration.forwardedPorts.count) "
        + "forwarded_ports each, and the private pools have \(forwarding.serverCount) addresses"
    } else if range.contains(configuration.listen.port) {
      message = "the service itself listens at port \(configuration.listen.port)"
    }
    let key = "forward_range"
    return message.map { [.init(origin: origin(of: key, file), key: key, message: $0)] } ?? []
  }

  /// The origin of the key's last value, which is the one in effect.
  func origin(of name: String, _ file: ConfigurationFile?) -> String {
    ConfigurationKey.all.first { $0.name == name }.flatMap { sources(of: $0, file).last?.origin } ?? name
  }

  /// Pools with addresses that no server could use.
  private func networkProblems(
    _ configuration: Configuration, _ file: ConfigurationFile?
  ) -> [ConfigurationError.Problem] {
    guard configuration.driver == .libvirt else { return [] }
    var problems: [ConfigurationError.Problem] = []
    func check(_ pool: AddressPool?, _ pool6: IPv6Pool?, _ origin: (String) -> String, prefix: String = "") {
      switch configuration.network {
      case .loopback where pool6 != nil:
        problems.append(
          .init(
            origin: origin("address_pool6"), key: "\(prefix)address_pool6",
            message: "the network of servers on this machine is its loopback, which has no IPv6"))
      case .routed where pool?.hasLoopback == true, .bridge where pool?.hasLoopback == true:
        problems.append(
          .init(
            origin: origin("address_pool"), key: "\(prefix)address_pool",
            message: "nothing is routed to addresses of the loopback: give servers others, or leave `network` out"))
      case .loopback, .routed, .bridge: break
      }
    }
    let here = configuration.hostLocation.flatMap { configuration.locations[$0] }
    check(
      here?.addressPool == nil ? configuration.addressPool : nil,
      here?.addressPool6 == nil ? configuration.addressPool6 : nil,
      { name in
        ConfigurationKey.all.first { $0.name == name }.flatMap { sources(of: $0, file).last?.origin } ?? "network"
      })
    for section in file?.locations ?? [] {
      guard let settings = configuration.locations[section.code], settings.driver == nil else { continue }
      check(
        settings.addressPool, settings.addressPool6, { _ in section.origin },
        prefix: "\(ConfigurationFile.locationsKey).\(section.code).")
    }
    return problems
  }

  /// Settings for notices that need each other, or exclude each other.
  private func notifyProblems(
    _ configuration: Configuration, _ file: ConfigurationFile?
  ) -> [ConfigurationError.Problem] {
    configuration.notify.contradictions.map { name, message in
      let named = ConfigurationKey.all.first { $0.name == name }
      return .init(origin: named.flatMap { sources(of: $0, file).last?.origin } ?? "", key: name, message: message)
    }
  }

  private func reverseNameProblems(
    _ configuration: Configuration, _ file: ConfigurationFile?
  ) -> [ConfigurationError.Problem] {
    let here = configuration.reverseNames.contradiction.map { key, message in
      ConfigurationError.Problem(origin: origin(of: key, file), key: key, message: message)
    }
    let ofLocations = (file?.locations ?? []).compactMap { section in
      configuration.locations[section.code]?.reverseNames?.contradiction.map { key, message in
        ConfigurationError.Problem(
          origin: section.origin, key: "\(ConfigurationFile.locationsKey).\(section.code).\(key)", message: message)
      }
    }
    return [here].compactMap { $0 } + ofLocations
  }

  private func sources(
    of key: ConfigurationKey, _ file: ConfigurationFile?
  ) -> [(origin: String, value: ConfigurationValue?)] {
    var found: [(origin: String, value: ConfigurationValue?)] = []
    for entry in file?.entries ?? [] where entry.key == key.name {
      found.append((entry.origin, entry.value))
    }
    if let text = environment[key.variable], !text.isEmpty {
      found.append((key.variable, value(text)))
    }
    if let text = options[key.name] {
      found.append(("--\(key.name.replacing("_", with: "-"))", value(text)))
    }
    return found
  }

  private func value(_ text: String) -> ConfigurationValue {
    ConfigurationValue(texts: [text], isList: false, baseDirectory: workingDirectory)
  }

  /// Variables of the service's clients, which may run in the same terminal.
  private static let clientVariables: Set = ["VPSD_URL", "VPSD_TOKEN"]

  private var warnings: [String] {
    let variables = Set(ConfigurationKey.all.map(\.variable)).union(Self.clientVariables)
    return environment.keys.filter { $0.hasPrefix("VPSD_") && !variables.contains($0) }.sorted()
      .map { "The environment variable \($0) names no setting and is ignored." }
  }
}

extension ConfigurationLoader {
  /// The file that an installed program uses by default: so every command uses the service's data directory.
  private static func installedFile(for executable: URL) -> String? {
    let path = "/etc/vpsd/vpsd.yaml"
    return executable.path == "/usr/bin/vpsd" && access(path, F_OK) == 0 ? path : nil
  }

  /// The sources of this process.
  static func ofThisProcess(file: String?, options: [String: String]) -> ConfigurationLoader {
    let workingDirectory = URL(
      fileURLWithPath: FileManager.default.currentDirectoryPath, isDirectory: true)
    let executable = (Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0]))
      .resolvingSymlinksInPath()
    return ConfigurationLoader(
      workingDirectory: workingDirectory, executable: executable,
      file: (file ?? installedFile(for: executable)).map {
        URL(fileURLWithPath: $0, relativeTo: workingDirectory).absoluteURL.standardizedFileURL
      },
      environment: ProcessInfo.processInfo.environment, options: options)
  }
}
