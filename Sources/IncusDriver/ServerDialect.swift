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
    let program: String?
    let certificateFingerprint: String?
    let architectures: [String]?
    let storageDrivers: [StorageDriver]?

    /// Those that this server can use. The names of its fields are those of the API.
    struct StorageDriver: Decodable, Sendable {
      let name: String
      let isRemote: Bool

      private enum CodingKeys: String, CodingKey {
        case name = "Name"
        case isRemote = "Remote"
      }
    }

    private enum CodingKeys: String, CodingKey {
      case architectures
      case storageDrivers = "storage_supported_drivers"
      case isClustered = "server_clustered"
      case serverName = "server_name"
      case program = "server"
      case certificateFingerprint = "certificate_fingerprint"
    }
  }

  let auth: String
  /// The fingerprint of the certificate that asks, where it is trusted.
  let userName: String?
  let extensions: Set<String>
  let environment: Environment?

  private enum CodingKeys: String, CodingKey {
    case auth, environment
    case userName = "auth_user_name"
    case extensions = "api_extensions"
  }

  var isClustered: Bool { environment?.isClustered == true }

  /// Whether several services can share it: members of an LXD carry out what another one passes on without looking who asked that.
  var isSharable: Bool { environment?.program != "lxd" || !isClustered }

  /// Nil where it does not say who it is.
  var identity: ServerIdentity? {
    guard let fingerprint = environment?.certificateFingerprint, !fingerprint.isEmpty else { return nil }
    return ServerIdentity(
      certificateFingerprint: fingerprint, program: environment?.program ?? "",
      architectures: environment?.architectures ?? [])
  }
}

/// Which server it is, or which cluster: all members of one have the same certificate.
struct ServerIdentity: Sendable, Equatable {
  let certificateFingerprint: String
  /// `incus` or `lxd`.
  let program: String
  let architectures: [String]

  /// Whether containers can go from the one to the other: whatever is removed here must not be what is there.
  func isApart(from other: ServerIdentity) -> Bool {
    certificateFingerprint != other.certificateFingerprint && program == other.program
  }
}
