import Core
import Foundation
import IncusDriver

/// Where the Incus of a location is, and what servers are made there.
struct IncusSettings: Sendable, Equatable {
  /// Where its API listens.
  var url: IncusURL?
  /// Where those of several members of one cluster do: each of them answers for all.
  var urls: [IncusURL] = []
  /// Of one on this machine.
  var socket: String?
  var clientCertificate: String?
  var clientKey: String?
  /// Its own one, or its cluster's: no other is taken.
  var serverCertificate: String?
  var project = "default"
  var storagePool = "default"
  /// The member of the cluster that servers are on; nil where it is none of a cluster, or where there are several.
  var member: String?
  /// Those that are hosts of the location, each by its name.
  var members: [String] = []

  /// How its servers are reached: nil for at addresses of the loopback.
  var network: Network?

  enum Network: String, Sendable {
    case loopback, routed
  }

  var isRouted: Bool { network == .routed }

  /// What servers are there. Said in full, because others will follow.
  var instanceType: InstanceType?

  enum InstanceType: String, Sendable {
    case container
  }

  /// The key that cannot be as it is, and why.
  var contradiction: (key: String, message: String)? {
    if instanceType == nil {
      return ("instance_type", "say container: servers of an Incus are nothing else yet, and will be able to be")
    }
    if isRouted, socket == nil {
      return (
        "network",
        "routed is for an Incus on this machine, which has the links of its servers: give its socket in the place of a url"
      )
    }
    if isRouted, members.count > 1 {
      return ("members", "with network: routed links are this machine's: name the one that is this machine")
    }
    let certificates = [
      ("client_certificate", clientCertificate), ("client_key", clientKey), ("server_certificate", serverCertificate),
    ]
    if member != nil, !members.isEmpty { return ("member", "it is one of members, or there is only this one") }
    if url != nil, !urls.isEmpty { return ("url", "it is one of urls, or there is only this one") }
    switch (locators.first, socket) {
    case (nil, nil): return ("driver", "incus needs url or urls, or the socket of an Incus on this machine")
    case (.some, .some): return ("socket", "an Incus is asked at its url or at its socket, and not at both")
    case (.some, nil):
      if let missing = certificates.first(where: { $0.1 == nil }) {
        return (missing.0, "it is needed with url, beside the other certificates")
      }
      return locators.allSatisfy(\.isHere) ? nil : (urls.isEmpty ? "url" : "urls", Self.onlyHere)
    case (nil, .some):
      return certificates.first { $0.1 != nil }.map { ($0.0, "it is for url; whoever may open a socket needs none") }
    }
  }

  private static let onlyHere =
    "servers are reached at addresses of the loopback of their member, which therefore has to be this machine: give a loopback "
    + "address, such as https://127.0.0.1:8443"

  private var locators: [IncusURL] { url.map { [$0] } ?? urls }

  /// Two locations with one of them in common would take each other's servers for their own.
  var places: [String] {
    let ways = locators.isEmpty ? [socket ?? ""] : locators.map(\.description)
    let hosts = members.isEmpty ? [member ?? ""] : members
    return ways.flatMap { way in hosts.map { [way, project, $0].joined(separator: " ") } }
  }

  /// The names of its hosts at a location; without members there is one, which was called so before there could be any.
  func hostNames(at code: String) -> [String] { members.isEmpty ? ["\(code)/1"] : members.map { "\(code)/\($0)" } }

  /// The member that a host of the location is; nil where it is a server alone.
  func member(ofHost name: String) -> String? {
    members.isEmpty ? member : members.first { name.drop { $0 != "/" }.dropFirst() == $0 }
  }

  /// Reads the files.
  func endpoints() throws -> IncusEndpoints {
    if let socket { return IncusEndpoints([.socket(path: socket)]) }
    guard !locators.isEmpty, let clientCertificate, let clientKey, let serverCertificate else {
      throw Refusal.refused("A location on Incus has neither a url with its certificates nor a socket.")
    }
    return IncusEndpoints(
      try locators.map { url in
        try .https(
          host: url.host, port: url.port, certificate: clientCertificate, key: clientKey,
          serverCertificate: serverCertificate)
      })
  }
}

/// `https://10.0.0.5:8443`: a host and a port, and nothing else.
struct IncusURL: Hashable, Sendable, CustomStringConvertible {
  let host: String
  let port: Int

  init?(_ text: String) {
    let scheme = "https://"
    guard text.isPlain(atMost: 300), text.hasPrefix(scheme) else { return nil }
    let rest = String(text.dropFirst(scheme.count))
    let hasPort = rest.last != "]" && rest.split(separator: "]").last?.contains(":") == true
    guard let address = ListenAddress(hasPort ? rest : rest + ":8443"), address.port > 0 else { return nil }
    host = address.host
    port = address.port
  }

  var isHere: Bool { ListenAddress(host: host, port: port).isLoopback }

  var description: String { "https://" + ListenAddress(host: host, port: port).description }
}

extension LocationKey {
  /// Only for a location whose driver is `incus`.
  static let incus: [LocationKey] = [
    key(
      "instance_type", \.instanceType, "What its servers are, where the driver is `incus`", rule: "container",
      parse: { IncusSettings.InstanceType(rawValue: $0) }, print: { $0.rawValue }),
    key(
      "network", \.network,
      "How its servers are reached: by ports of loopback addresses of this machine, or routed, each with a network card, as with `network: routed` those of this machine; `loopback` where it is not said",
      rule: "one of loopback, routed", parse: { IncusSettings.Network(rawValue: $0) }, print: { $0.rawValue }),
    key(
      "url", \.url, "Where the API of its Incus, or of any member of its cluster, listens",
      rule: "an https URL of a host and a port, such as https://10.0.0.5:8443", parse: { IncusURL($0) },
      print: \.description),
    list(
      "urls", \.urls,
      "Where those of several members of its cluster listen, in the place of `url`: while one of them is away, another is asked",
      rule: "a list of 1 to 16 different https URLs of a host and a port", parse: { IncusURL($0) },
      print: \.description),
    path("socket", \.socket, "The socket of an Incus on this machine, in the place of `url`"),
    path(
      "client_certificate", \.clientCertificate,
      "The certificate that this Incus trusts, beside `url`; of several services all have the same, which is not restricted"
    ),
    path("client_key", \.clientKey, "Its key"),
    path(
      "server_certificate", \.serverCertificate,
      "The certificate of this Incus, or of its cluster: no other is believed"),
    name("project", \.project, "The project there that servers are made in: `default` where it is not said"),
    name("storage_pool", \.storagePool, "The storage pool that their disks are in: `default` where it is not said"),
    key(
      "member", \.member, "The member of the cluster that they are on, where it is a cluster", rule: nameRule,
      parse: { isName($0) ? .some($0) : nil }, print: { $0 }),
    list(
      "members", \.members,
      "The members of the cluster that are its hosts, each of them one, in the place of `member`",
      rule: "a list of 1 to 50 different names, each \(nameRule)", most: 50, parse: { isName($0) ? $0 : nil },
      print: { $0 }),
  ]

  private static func list<Value: Hashable & Sendable>(
    _ name: String, _ path: any WritableKeyPath<IncusSettings, [Value]> & Sendable, _ description: String, rule: String,
    most: Int = 16, parse: @escaping @Sendable (String) -> Value?, print: @escaping @Sendable (Value) -> String
  ) -> LocationKey {
    LocationKey(
      name: name, description: description, rule: rule,
      apply: { value, settings in
        let parsed = value.elements.compactMap(parse)
        guard parsed.count == value.elements.count, (1...most).contains(parsed.count),
          Set(parsed).count == parsed.count
        else { return false }
        settings.incus[keyPath: path] = parsed
        return true
      },
      read: { settings in
        let list = settings.incus[keyPath: path]
        return list.isEmpty ? nil : list.map(print)
      })
  }

  private static let nameRule = "at most 63 letters, digits, hyphens, dots and underscores"

  private static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.isPlain(atMost: 63)
      && text.utf8.allSatisfy { byte in
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
          || [45, 46, 95].contains(byte)
      }
  }

  private static func key<Value: Sendable>(
    _ name: String, _ path: any WritableKeyPath<IncusSettings, Value?> & Sendable, _ description: String, rule: String,
    parse: @escaping @Sendable (String) -> Value?, print: @escaping @Sendable (Value) -> String
  ) -> LocationKey {
    LocationKey(
      name: name, description: description, rule: rule,
      apply: { value, settings in
        guard let text = value.text, let parsed = parse(text) else { return false }
        settings.incus[keyPath: path] = parsed
        return true
      },
      read: { settings in settings.incus[keyPath: path].map { [print($0)] } })
  }

  private static func path(
    _ name: String, _ path: any WritableKeyPath<IncusSettings, String?> & Sendable, _ description: String
  ) -> LocationKey {
    LocationKey(
      name: name, description: description, rule: "the path of a file",
      apply: { value, settings in
        guard let file = value.directory?.path else { return false }
        settings.incus[keyPath: path] = file
        return true
      },
      read: { settings in settings.incus[keyPath: path].map { [$0] } })
  }

  private static func name(
    _ name: String, _ path: any WritableKeyPath<IncusSettings, String> & Sendable, _ description: String
  ) -> LocationKey {
    LocationKey(
      name: name, description: description, rule: nameRule,
      apply: { value, settings in
        guard let text = value.text, isName(text) else { return false }
        settings.incus[keyPath: path] = text
        return true
      },
      read: { settings in settings.incus[keyPath: path] == "default" ? nil : [settings.incus[keyPath: path]] })
  }
}
