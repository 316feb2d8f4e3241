import Core
import Foundation
import ReverseDNS

/// How the addresses of a location get their reverse names; not at all where no server is configured.
struct ReverseNameSettings: Sendable, Equatable {
  static let section = "rdns"

  var server: NameServerAddress?
  var keyFile: String?
  var pattern: NamePattern?
  var ttl = 3600

  /// The key whose value contradicts other keys, and why.
  var contradiction: (key: String, message: String)? {
    guard server != nil, keyFile == nil else { return nil }
    return ("\(Self.section).server", "it needs rdns.key_file, with the key that it lets change names")
  }

  /// One of these settings.
  struct Key: Sendable {
    let name: String
    let defaultText: String
    let description: String
    let rule: String
    let apply: @Sendable (ConfigurationValue, inout ReverseNameSettings) -> Bool
    let read: @Sendable (ReverseNameSettings) -> String
  }

  static let keys: [Key] = [
    key(
      "server", \.server, default: "none",
      "The DNS server that has the reverse zones of the addresses, and lets them be changed by RFC 2136 (docs/reverse-dns.md)",
      rule: "none, or an IP address, with a port where it is not 53, such as 192.0.2.53 or [2001:db8::53]:5353",
      parse: { $0 == "none" ? .some(nil) : NameServerAddress($0).map { .some($0) } },
      print: { $0?.description ?? "none" }),
    Key(
      name: "\(section).key_file", defaultText: "none",
      description: "The file with the TSIG key for that, as tsig-keygen prints it", rule: "none, or the path of a file",
      apply: { value, settings in
        guard let path = value.directory?.path else { return false }
        settings.keyFile = value.text == "none" ? nil : path
        return true
      },
      read: { $0.keyFile ?? "none" }),
    key(
      "pattern", \.pattern, default: "none",
      "What an address is called to which its customer gives no name: `<address>` becomes 203-0-113-10, or 2001-db8-10-1-0-0-0-1",
      rule: "none, or a domain name with `<address>` once in its first label, such as `<address>.vps.example.com`",
      parse: { $0 == "none" ? .some(nil) : NamePattern($0).map { .some($0) } }, print: { $0?.description ?? "none" }),
    key(
      "ttl", \.ttl, default: "3600", "For how many seconds others may remember a name",
      rule: "a whole number from 60 to 604800",
      parse: { text in
        guard (2...6).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }),
          let number = Int(text),
          (60...604_800).contains(number)
        else { return nil }
        return number
      }, print: { String($0) }),
  ]

  private static func key<Value: Sendable>(
    _ name: String, _ path: any WritableKeyPath<ReverseNameSettings, Value> & Sendable, default defaultText: String,
    _ description: String, rule: String, parse: @escaping @Sendable (String) -> Value?,
    print: @escaping @Sendable (Value) -> String
  ) -> Key {
    Key(
      name: "\(section).\(name)", defaultText: defaultText, description: description, rule: rule,
      apply: { value, settings in
        guard let text = value.text, let parsed = parse(text) else { return false }
        settings[keyPath: path] = parsed
        return true
      },
      read: { print($0[keyPath: path]) })
  }
}

extension ConfigurationKey {
  static let reverseNames: [ConfigurationKey] =
    ReverseNameSettings.keys.map { key in
      ConfigurationKey(
        name: key.name, defaultText: key.defaultText, description: key.description, rule: key.rule,
        apply: { key.apply($0, &$1.reverseNames) }, read: { [key.read($0.reverseNames)] })
    } + [
      value(
        "rdns_requires_forward", \.mustReverseNamesLeadBack, default: "false",
        "Whether a customer may give an address only a name that leads to that address", rule: "true or false",
        parse: { $0 == "true" ? true : $0 == "false" ? false : nil }, print: \.description),
      value(
        "rdns_resolver", \.reverseNameResolver, default: "auto",
        "Who is asked where such a name leads, best from outside; auto takes the resolver of this host",
        rule: "auto, or an IP address, with a port where it is not 53, such as 9.9.9.9",
        parse: { $0 == "auto" ? .some(nil) : NameServerAddress($0).map { .some($0) } },
        print: { $0?.description ?? "auto" }),
    ]
}

extension LocationKey {
  /// A location either has all of these settings itself, or uses those outside of `locations`.
  static let reverseNames: [LocationKey] = ReverseNameSettings.keys.map { key in
    LocationKey(
      name: key.name,
      description: key.name == "\(ReverseNameSettings.section).server"
        ? "The DNS server that has the reverse zones of its addresses; with any of these keys, the whole of `rdns` outside of `locations` is not meant here"
        : "As the key of that name, which is not taken beside it",
      rule: key.rule,
      apply: { value, settings in
        var own = settings.reverseNames ?? ReverseNameSettings()
        guard key.apply(value, &own) else { return false }
        settings.reverseNames = own
        return true
      },
      read: { settings in settings.reverseNames.map { [key.read($0)] } })
  }
}
