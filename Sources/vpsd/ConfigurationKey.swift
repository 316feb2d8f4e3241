import API
import Core
import Engine
import Foundation
import LibvirtDriver
import Logging
import SQLStore

/// One setting. Its documentation, its parsing and all messages about it are derived from this.
struct ConfigurationKey: Sendable {
  /// The name in the file. A dot separates it from the section that contains it.
  let name: String
  let defaultText: String
  let description: String
  /// The rule for a value, as text after "is not".
  let rule: String
  var isList = false
  /// Whether the value may contain a password, so that messages do not repeat it.
  var isSecret = false
  /// Sets the value; returns false where it breaks the rule.
  let apply: @Sendable (ConfigurationValue, inout Configuration) -> Bool
  /// The value as written in a file.
  let read: @Sendable (Configuration) -> [String]

  /// The name of the environment variable.
  var variable: String { "VPSD_" + name.uppercased().replacing(".", with: "_") }
}

/// A value as it was written, and the folder to which its paths are relative.
struct ConfigurationValue: Sendable {
  let texts: [String]
  let isList: Bool
  let baseDirectory: URL

  /// Nil for a list.
  var text: String? { isList ? nil : texts.first }

  /// The elements of a list, which can also be written as one text with commas.
  var elements: [String] {
    guard let text else { return texts }
    return text.split(separator: ",", omittingEmptySubsequences: false)
      .map { $0.trimmingCharacters(in: .whitespaces) }
  }

  var directory: URL? {
    guard let text, !text.isEmpty, !text.contains("\0") else { return nil }
    let url =
      text.hasPrefix("/")
      ? URL(fileURLWithPath: text, isDirectory: true)
      : baseDirectory.appendingPathComponent(text, isDirectory: true)
    return url.standardizedFileURL
  }
}

extension ConfigurationKey {
  /// In the order in which they are documented and applied: `data_dir` sets the defaults of folders that come after it.
  static let all: [ConfigurationKey] =
    [
      directory(
        "data_dir", \.dataDirectory, default: "./var", "Where everything is kept",
        also: { configuration in
          configuration.imageDirectory = Configuration.imageDirectory(in: configuration.dataDirectory)
          configuration.copyDirectory = Configuration.copyDirectory(in: configuration.dataDirectory)
        }),
      directory(
        "image_dir", \.imageDirectory, default: "<data_dir>/images",
        "Where images are kept; several installations may share it, and none of them then removes any"),
      directory(
        "copy_dir", \.copyDirectory, default: "<data_dir>/copies",
        "Where copies of servers' disks are kept, best on another disk; several installations may share it"),
      value(
        "database", \.database, isSecret: true, default: "sqlite",
        "Where the database is: in the data directory, or on a server of PostgreSQL; a password in the URL is shown nowhere",
        rule: "sqlite, or a URL of PostgreSQL, such as postgresql://vpsd@db.example.com/vpsd",
        parse: { $0 == "sqlite" ? .some(nil) : PostgreSQLAddress($0).map { .some($0) } },
        print: { $0?.description ?? "sqlite" }),
      simulatedDirectory,
    ] + ownHost + [
      value(
        "listen", \.listen, default: "127.0.0.1:8080", "Where the service listens; port 0 takes any that is free",
        rule: "a host and a port, such as 127.0.0.1:8080, localhost:8080 or [::1]:8080",
        parse: { ListenAddress($0) }, print: \.description),
      amount(
        "drain_seconds", \.drainSeconds, default: "0",
        "For how long a service that is to end takes requests while `/readyz` says that none should be sent to it",
        0...600),
      value(
        "public_url", \.publicURL, default: "auto",
        "Where clients reach the service, which only a proxy in front of it changes; auto takes the word of each client, and of trusted proxies",
        rule: "auto, or an http or https URL without a query, such as https://vps.example.com",
        parse: { $0 == "auto" ? .some(nil) : PublicURL($0).map { .some($0) } }, print: { $0?.description ?? "auto" }),
      trustedProxies,
      value(
        "panel", \.hasPanel, default: "true", "Whether there is a web panel beside the API", rule: "true or false",
        parse: { $0 == "true" ? true : $0 == "false" ? false : nil }, print: \.description),
      choice("driver", \.driver, default: "libvirt", "What runs the virtual machines"),
      choice(
        "libvirtd", \.libvirtd, default: "own",
        "Through which libvirtd the machines run: one that vpsd starts for itself, or the host's"),
      reservedAddresses, addressPool,
      value(
        "address_pool6", \.addressPool6, default: "none",
        "The IPv6 network that each server is given one of 64 bits of, or a single address where it is one of 64 bits or more itself; the loopback network of this machine has none",
        rule: "none, or \(addressPool6Rule)",
        parse: { $0 == "none" ? .some(nil) : IPv6Pool($0).map { .some($0) } }, print: { $0?.description ?? "none" }),
      forwardedPorts,
      choice(
        "outbound", \.outbound, default: "auto",
        "Whether servers of the loopback network reach the internet, without reaching this host; auto where slirp4netns is there"
      ),
    ] + network + reverseNames + [
      choice(
        "accelerator", \.accelerator, default: "auto", "What executes the guests; auto takes KVM where it truly works"),
      directory(
        "recipe_dir", \.recipeDirectory, default: "`images` of the checkout, or `../share/vpsd/images`",
        "Where the recipes of images are; the default is told from the place of the executable"),
      choice(
        "instant_templates", \.instantTemplates, default: "off",
        "Whether new servers start from the memory of machines that have booted before; these are made while the host is idle"
      ),
      amount(
        "instant_storage", \.instantStorageGiB, default: "8",
        "How many GiB of the data directory these templates may take; the least recently used ones are removed first",
        1...10_000),
      choice(
        "image_downloads", \.imageDownloads, default: "on-demand",
        "Whether the first order of an operating system whose publisher is known fetches its image"),
      directory(
        "novnc_dir", \.noVNCDirectory, default: "`.build/novnc` of the checkout, or `/usr/share/novnc`",
        "Where noVNC is, which shows consoles in a browser; the default is told from the place of the executable"),
    ] + observation + [
      factor("overcommit_vcpus", \.overcommit.vcpus, default: "16", "How often each CPU of the host is given away"),
      factor("overcommit_memory", \.overcommit.memory, default: "1", "How often the host's memory is given away"),
      factor("overcommit_storage", \.overcommit.storage, default: "2", "How often the host's disk is given away"),
      count(
        "rate_limit", \.limits.requestsPerMinute, default: "1200",
        "How many requests a minute an account may make, with all its tokens"),
      count(
        "login_failures", \.limits.loginFailuresPerMinute, default: "30",
        "How many tokens that are not valid an address may send in a minute"),
      amount(
        "body_bytes", \.limits.bodyBytes, default: "1048576", "How large the body of a request may be", 1024...(1 << 30)
      ),
      amount(
        "json_depth", \.limits.jsonDepth, default: "16", "How deep lists and objects of a body may be nested",
        RequestLimits.jsonDepths),
      amount(
        "list_elements", \.limits.listElements, default: "50",
        "How many elements a list of a body may have: SSH keys of a server, permissions of a token", 1...1000),
      amount(
        "firewall_rules", \.limits.firewallRules, default: "100", "How many rules the firewall of a server may have",
        1...1000),
      amount(
        "firewall_networks", \.limits.firewallNetworks, default: "1000",
        "How many networks all rules of a server's firewall may name together", 1...50_000),
      amount(
        "page_size", \.limits.pageSize, default: "100",
        "How many elements of a list are on a page at most, and where the client does not say", 1...1000),
      amount(
        "header_bytes", \.connections.headerBytes, default: "32768",
        "How large the headers of a request may be together; one alone half of that", 4096...(1 << 20)),
      amount(
        "first_request_seconds", \.connections.firstRequestSeconds, default: "10",
        "In how many seconds a new connection must have sent the whole head of its first request", 1...3600),
      amount(
        "idle_seconds", \.connections.idleSeconds, default: "60",
        "After how many seconds without a request a connection is closed", 1...86_400),
      amount(
        "transfer_seconds", \.connections.transferSeconds, default: "60",
        "In how many seconds a body must come, and a client must take some of its reply", 1...86_400),
      count(
        "connections", \.connections.connections, default: "1024", "How many connections are open at once; others wait"),
      count(
        "connections_per_address", \.connections.connectionsPerAddress, default: "256",
        "How many connections an address may have open at once, or an IPv6 network of 64 bits; those of trusted proxies do not count"
      ),
      count(
        "event_streams_per_account", \.limits.eventStreamsPerAccount, default: "16",
        "How many streams of events an account may have open at once"),
      count("consoles", \.consoles.inAll, default: "256", "How many consoles are open at once"),
      count(
        "consoles_per_account", \.consoles.perAccount, default: "16",
        "How many consoles an account may have open at once"
      ),
      count(
        "consoles_per_server", \.consoles.perServer, default: "4", "How many consoles of a server may be open at once"),
      amount(
        "console_ticket_seconds", \.consoles.ticketSeconds, default: "60",
        "For how many seconds the address of a console can be used", 5...3600),
      count("server_quota", \.serverQuota, default: "100", "How many servers an account may have"),
      count(
        "copy_quota", \.copyQuota, default: "50",
        "How many copies a server may have: snapshots, and backups that somebody asked for"),
      count("token_quota", \.tokenQuota, default: "100", "How many tokens an account may have"),
      count("ssh_key_quota", \.sshKeyQuota, default: "100", "How many SSH keys an account may have"),
      count(
        "idempotency_quota", \.idempotency.requests, default: "10000",
        "How many requests with an Idempotency-Key are remembered of an account; the oldest one gives way after an hour"
      ),
      amount(
        "idempotency_bytes", \.idempotency.bytes, default: "16777216",
        "How many bytes of answers to such requests are remembered of an account; the oldest one gives way after an hour",
        65_536...(1 << 30)),
    ] + billing + stateBackups + notify

  static let addressPoolRule =
    "a list of IPv4 networks without host bits and of at most 30 bits, or ranges, that do not overlap and of which something "
    + "is left, such as [203.0.113.0/26, 203.0.113.70-203.0.113.90]"

  static let addressPool6Rule =
    "a unicast IPv6 network of 16 to 127 bits without host bits, such as 2001:db8:10::/56"

  private static let addressPool = ConfigurationKey(
    name: "address_pool", defaultText: "127.80.0.0/16", description: "The addresses that servers are given",
    rule: addressPoolRule, isList: true,
    apply: { value, configuration in
      guard let pool = AddressPool(value.elements, reserved: configuration.reservedAddresses) else { return false }
      configuration.addressRanges = value.elements
      configuration.addressPool = pool
      return true
    },
    read: { $0.addressRanges })

  private static let reservedAddresses = ConfigurationKey(
    name: "reserved_addresses", defaultText: "none",
    description: "Addresses of the pool that no server is given: a gateway's, or those of the host itself",
    rule: "none, or a list of IPv4 addresses, networks and ranges, such as [203.0.113.1, 203.0.113.8/29]", isList: true,
    apply: { value, configuration in
      let texts = value.text == "none" ? [] : value.elements
      guard AddressPool(["1.0.0.0-255.255.255.254"], reserved: texts) != nil else { return false }
      configuration.reservedAddresses = texts
      configuration.addressPool = AddressPool(configuration.addressRanges, reserved: texts) ?? configuration.addressPool
      return true
    },
    read: { $0.reservedAddresses })

  private static let trustedProxies = ConfigurationKey(
    name: "trusted_proxies", defaultText: "none",
    description: "The proxies whose `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host` are believed",
    rule: "none, or a list of addresses and networks without host bits, such as [127.0.0.1, 10.0.0.0/8, 2001:db8::/32]",
    isList: true,
    apply: { value, configuration in
      let texts = value.text == "none" ? [] : value.elements
      let networks = texts.compactMap { IPNetwork($0) }
      guard networks.count == texts.count, networks.count <= 100 else { return false }
      configuration.trustedProxies = networks
      return true
    },
    read: { $0.trustedProxies.map(\.description) })

  private static let forwardedPorts = ConfigurationKey(
    name: "forwarded_ports", defaultText: "22, 80, 443",
    description:
      "The TCP ports of a server's address that lead into the guest; in a routed network those of servers that forward_range is for",
    rule: "a list of different ports from 1 to 65535 with 22 among them, such as [22, 80, 443]", isList: true,
    apply: { value, configuration in
      let ports = value.elements.compactMap { PortNumber.parse($0) }.filter { $0 > 0 }
      guard ports.count == value.elements.count, ports.contains(22), Set(ports).count == ports.count else {
        return false
      }
      configuration.forwardedPorts = ports
      return true
    },
    read: { $0.forwardedPorts.map { String($0) } })

  static func value<Value: Sendable>(
    _ name: String, _ path: any WritableKeyPath<Configuration, Value> & Sendable, isSecret: Bool = false,
    default defaultText: String, _ description: String, rule: String, parse: @escaping @Sendable (String) -> Value?,
    print: @escaping @Sendable (Value) -> String
  ) -> ConfigurationKey {
    ConfigurationKey(
      name: name, defaultText: defaultText, description: description, rule: rule, isSecret: isSecret,
      apply: { value, configuration in
        guard let text = value.text, let parsed = parse(text) else { return false }
        configuration[keyPath: path] = parsed
        return true
      },
      read: { [print($0[keyPath: path])] })
  }

  static func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
    _ name: String, _ path: any WritableKeyPath<Configuration, Choice> & Sendable, default defaultText: String,
    _ description: String
  ) -> ConfigurationKey {
    value(
      name, path, default: defaultText, description,
      rule: "one of " + Choice.allCases.map(\.rawValue).joined(separator: ", "),
      parse: { Choice(rawValue: $0) }, print: { $0.rawValue })
  }

  private static func factor(
    _ name: String, _ path: any WritableKeyPath<Configuration, Double> & Sendable, default defaultText: String,
    _ description: String
  ) -> ConfigurationKey {
    value(
      name, path, default: defaultText, description, rule: "a number above 0 and up to 1000",
      parse: { text in
        guard text.utf8.allSatisfy({ (48...57).contains($0) || $0 == UInt8(ascii: ".") }), let factor = Double(text),
          factor > 0, factor <= 1000
        else { return nil }
        return factor
      },
      print: { $0 == $0.rounded() ? String(Int($0)) : String($0) })
  }

  private static func count(
    _ name: String, _ path: any WritableKeyPath<Configuration, Int> & Sendable, default defaultText: String,
    _ description: String
  ) -> ConfigurationKey {
    number(
      name, path, default: defaultText, description, 0...1_000_000,
      rule: "a whole number from 0, which is no limit, to 1000000")
  }

  static func amount(
    _ name: String, _ path: any WritableKeyPath<Configuration, Int> & Sendable, default defaultText: String,
    _ description: String, _ range: ClosedRange<Int>
  ) -> ConfigurationKey {
    number(
      name, path, default: defaultText, description, range,
      rule: "a whole number from \(range.lowerBound) to \(range.upperBound)")
  }

  private static func number(
    _ name: String, _ path: any WritableKeyPath<Configuration, Int> & Sendable, default defaultText: String,
    _ description: String, _ range: ClosedRange<Int>, rule: String
  ) -> ConfigurationKey {
    value(
      name, path, default: defaultText, description, rule: rule,
      parse: { text in
        guard (1...10).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }),
          let number = Int(text), range.contains(number)
        else { return nil }
        return number
      },
      print: { String($0) })
  }

  private static let simulatedDirectory = ConfigurationKey(
    name: "simulated_dir", defaultText: "none",
    description:
      "The folder of simulated hosts that several services on one server of PostgreSQL share, and with them the locations on an Incus",
    rule: "none, or the path of a folder",
    apply: { value, configuration in
      guard let directory = value.directory else { return false }
      configuration.simulatedDirectory = value.text == "none" ? nil : directory
      return true
    },
    read: { [$0.simulatedDirectory?.path ?? "none"] })

  private static func directory(
    _ name: String, _ path: any WritableKeyPath<Configuration, URL> & Sendable, default defaultText: String,
    _ description: String, also: @escaping @Sendable (inout Configuration) -> Void = { _ in }
  ) -> ConfigurationKey {
    ConfigurationKey(
      name: name, defaultText: defaultText, description: description, rule: "the path of a folder",
      apply: { value, configuration in
        guard let directory = value.directory else { return false }
        configuration[keyPath: path] = directory
        also(&configuration)
        return true
      },
      read: { [$0[keyPath: path].path] })
  }
}
