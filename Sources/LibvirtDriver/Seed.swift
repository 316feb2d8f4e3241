import Core
import Foundation
import HostNetwork

/// What a guest is told about itself: a tar archive on its second disk. `first/` is applied at the very first boot only; of the
/// settings, each is applied whose value differs from the one applied last.
///
/// Images that do not know settings compare `revision`, and apply all of `boot/` when it has changed. It must change only with
/// that content: applying it overwrites what customers have written.
struct Seed {
  let specification: MachineSpecification
  let network: GuestNetwork
  /// The instance ID of the disk: its user data is executed once for each.
  var instance: UUID?
  /// If set, this is the seed of the rescue system and not of the machine's own system.
  var rescue: RescueSpecification?

  /// Shown to people who log in to a rescue system.
  private static let rescueWelcome = """
    This is the rescue system. The server's own disk is /dev/vdc, and nothing of it is mounted.
    What is written outside of it is gone when the rescue system is left.

    """

  /// For images that do not know settings. It must never change, or they would apply all of `boot/` again.
  private static let earlierNetwork = """
    ADDRESS4=10.0.2.15/24
    GATEWAY4=10.0.2.2
    DNS="10.0.2.3"

    """

  var archive: [UInt8] {
    var tar = TarArchive()
    tar.addFile("revision", mode: 0o644, revision + "\n")
    tar.addFile("settings", mode: 0o644, settings)
    tar.addDirectory("first", mode: 0o755)
    tar.addDirectory("first/etc", mode: 0o755)
    let machineID = specification.machine.text.filter { $0 != "-" }
    tar.addFile("first/etc/machine-id", mode: 0o444, machineID + "\n")
    if rescue != nil { tar.addFile("first/etc/motd", mode: 0o644, Self.rescueWelcome) }
    if let key = rescue == nil ? specification.authorizedKey : rescue?.authorizedKey {
      tar.addDirectory("first/root", mode: 0o700)
      tar.addDirectory("first/root/.ssh", mode: 0o700)
      tar.addFile("first/root/.ssh/authorized_keys", mode: 0o600, key + "\n")
    }
    if let hash = rescue == nil ? specification.rootPasswordHash : rescue?.rootPasswordHash {
      tar.addFile("root-password", mode: 0o600, hash + "\n")
    }
    tar.addDirectory("boot", mode: 0o755)
    tar.addDirectory("boot/etc", mode: 0o755)
    tar.addDirectory("boot/etc/vpsd", mode: 0o755)
    for file in bootFiles { tar.addFile(file.path, mode: 0o644, file.content) }
    if rescue == nil, let userData = specification.userData {
      tar.addFile("meta-data", mode: 0o600, "instance-id: vpsd-\((instance ?? specification.machine).text)\n")
      tar.addFile("user-data", mode: 0o600, userData)
    }
    tar.finish()
    return tar.bytes
  }

  private var hostname: Hostname { rescue == nil ? specification.hostname : Hostname("rescue")! }

  private var settings: String {
    let hostname = self.hostname
    return ([("HOSTNAME", hostname.firstLabel), ("FQDN", hostname.name)] + network.settings)
      .map { "\($0.key)=\($0.value)\n" }.joined()
  }

  /// A hash of the content of `boot/`: unchanged by a mere restart, so that the guest applies nothing.
  var revision: String {
    // 64-bit FNV-1a, which is enough to tell versions of one guest's files apart.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bootFiles.flatMap({ Array("\($0.path)\0\($0.content)\0".utf8) }) {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
    }
    return String(hash, radix: 16)
  }

  private var bootFiles: [(path: String, content: String)] {
    let hostname = self.hostname
    let names = hostname.name == hostname.firstLabel ? hostname.name : "\(hostname.name) \(hostname.firstLabel)"
    let hosts = """
      127.0.0.1 localhost
      127.0.1.1 \(names)
      ::1 localhost ip6-localhost ip6-loopback

      """
    return [
      ("boot/etc/hostname", hostname.firstLabel + "\n"), ("boot/etc/hosts", hosts),
      ("boot/etc/vpsd/network", Self.earlierNetwork),
    ]
  }
}
