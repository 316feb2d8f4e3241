import Core
import Foundation
import HostImages
import HostNetwork

/// What a guest with cloud-init is told about itself, by the data source NoCloud: a file system with the label `cidata`.
///
/// The files are JSON, which is YAML except for some characters in strings.
struct NoCloudSeed {
  let specification: MachineSpecification
  let network: GuestNetwork
  let hardwareAddress: HardwareAddress
  let disk: DiskRecord

  var image: [UInt8] {
    get throws {
      try ISOImage(
        label: "cidata",
        files: [
          ("meta-data", Self.text(metaData)), ("user-data", try whole()),
          ("network-config", Self.text(networkConfiguration)),
        ]
      ).bytes
    }
  }

  /// Our user data, preceded by the customer's where there is any.
  private func whole() throws -> String {
    let ours = "#cloud-config\n" + (try Self.text(userData))
    guard let theirs = specification.userData else { return ours }
    return UserDataParts(theirs, ours).text
  }

  private static func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let json = String(decoding: try encoder.encode(value), as: UTF8.self)
    var text = String.UnicodeScalarView()
    for scalar in json.unicodeScalars {
      if isForeign(scalar) {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        text.append(contentsOf: ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).unicodeScalars)
      } else {
        text.append(scalar)
      }
    }
    return String(text) + "\n"
  }

  /// Whether YAML forbids the character in a string, or takes it for a line break, although JSON allows it.
  private static func isForeign(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x7F...0x9F, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF: true
    default: false
    }
  }

  // MARK: - Identity

  private struct MetaData: Encodable {
    let instanceID: String
    let localHostname: String

    private enum CodingKeys: String, CodingKey {
      case instanceID = "instance-id"
      case localHostname = "local-hostname"
    }
  }

  private var metaData: MetaData {
    MetaData(instanceID: "vpsd-\(disk.instance.text)", localHostname: specification.hostname.name)
  }

  private struct UserData: Encodable {
    struct Growpart: Encodable {
      let mode = "auto"
      let devices = ["/"]
    }

    struct DefaultUser: Encodable {
      let name: String
      let lockPasswd: Bool
      /// Used instead of `password`, whose module runs after the guest is ready, when its seed may no longer have a password.
      let hashedPasswd: String?
    }

    struct File: Encodable {
      let path: String
      let content: String
      let permissions: String
    }

    /// An account, or `default` for the image's default user.
    enum User: Encodable {
      case standard
      case account(Account)

      func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .standard: try container.encode("default")
        case .account(let account): try container.encode(account)
        }
      }
    }

    struct Account: Encodable {
      let name: String
      /// Some versions of sshd refuse keys for a locked account as well.
      let lockPasswd = false
      let hashedPasswd: String?
      let sshAuthorizedKeys: [String]
    }

    let hostname: String
    let fqdn: String
    let manageEtcHosts = "localhost"
    let growpart = Growpart()
    let resizeRootfs = true
    /// By default cloud-init applies the network configuration only once for each instance.
    let updates = ["network": ["when": ["boot"]]]
    let sshPwauth: Bool
    var disableRoot = true
    var users: [User] = []
    var user: DefaultUser?
    var sshAuthorizedKeys: [String]?
    var writeFiles: [File]?
    /// How this is merged with a customer's user data: theirs takes precedence, and lists are appended.
    var mergeHow: String?
  }

  private var userData: UserData {
    let (hostname, hash) = (specification.hostname, specification.rootPasswordHash)
    let keys = specification.authorizedKey?.split(whereSeparator: \.isNewline).map(String.init) ?? []
    var data = UserData(hostname: hostname.firstLabel, fqdn: hostname.name, sshPwauth: hash != nil)
    if specification.userData != nil { data.mergeHow = "list(append)+dict(no_replace,recurse_list)+str()" }
    let name = disk.properties.defaultUser
    if name == "root" {
      data.disableRoot = false
      data.users = [.account(.init(name: name, hashedPasswd: hash, sshAuthorizedKeys: keys))]
    } else {
      data.users = [.standard]
      data.user = .init(name: name, lockPasswd: hash == nil, hashedPasswd: hash)
      data.sshAuthorizedKeys = keys
    }
    // Most distributions let root log in by key only, and many apply that to everybody. sshd uses the first value that it
    // reads.
    if hash != nil {
      let root = name == "root" ? "PermitRootLogin yes\n" : ""
      data.writeFiles = [
        .init(
          path: "/etc/ssh/sshd_config.d/01-vpsd.conf", content: root + "PasswordAuthentication yes\n",
          permissions: "0644")
      ]
    }
    return data
  }

  // MARK: - Network

  private struct NetworkConfiguration: Encodable {
    struct Route: Encodable {
      let to: String
      let via: String
      /// The gateway may be outside the address's network.
      let onLink = true

      private enum CodingKeys: String, CodingKey {
        case to, via
        case onLink = "on-link"
      }
    }

    struct Card: Encodable {
      let match: [String: String]
      let setName = "eth0"
      let dhcp4 = false
      let dhcp6 = false
      let addresses: [String]
      let routes: [Route]
      let nameservers: [String: [String]]?

      private enum CodingKeys: String, CodingKey {
        case match, dhcp4, dhcp6, addresses, routes, nameservers
        case setName = "set-name"
      }
    }

    let version = 2
    let ethernets: [String: Card]
  }

  private var networkConfiguration: NetworkConfiguration {
    let routes = [("0.0.0.0/0", network.ipv4Gateway), ("::/0", network.ipv6Gateway)].compactMap { to, gateway in
      gateway.map { NetworkConfiguration.Route(to: to, via: $0) }
    }
    let card = NetworkConfiguration.Card(
      match: ["macaddress": "\(hardwareAddress)"],
      addresses: [network.ipv4Address, network.ipv6Address].compactMap { $0 } + network.furtherAddresses,
      routes: routes,
      nameservers: network.nameServers.isEmpty ? nil : ["addresses": network.nameServers])
    return NetworkConfiguration(ethernets: ["eth0": card])
  }
}
