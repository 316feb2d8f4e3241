/// Incus, or an LXD that it comes from, as far as that makes a difference: what it can, and what it calls something. Its extensions
/// tell, and not its version, because an extension may be there or not in any of them.
struct ServerDialect: Sendable, Equatable {
  /// Whether a container can be given another disk. LXD can since 5.12.
  let rebuilds: Bool
  /// The key of what keeps a guest from asking its server for anything.
  let guestAccessKey: String

  init(extensions: Set<String>) {
    rebuilds = extensions.contains("instances_rebuild")
    guestAccessKey = extensions.contains("restrict_devlxd") ? "security.devlxd" : "security.guestapi"
  }

  static let incus = ServerDialect(extensions: ["instances_rebuild", "restrict_dev_incus"])
}

/// What a server says of itself.
struct ServerFacts: Decodable, Sendable {
  /// What is asked of a server that not every one of them has.
  static let needed = ["clustering", "image_create_aliases", "container_nic_routed", "cloud_init"]

  struct Environment: Decodable, Sendable {
    let isClustered: Bool?
    let serverName: String?

    private enum CodingKeys: String, CodingKey {
      case isClustered = "server_clustered"
      case serverName = "server_name"
    }
  }

  let auth: String
  let extensions: Set<String>
  let environment: Environment?

  private enum CodingKeys: String, CodingKey {
    case auth, environment
    case extensions = "api_extensions"
  }

  var isClustered: Bool { environment?.isClustered == true }
}
