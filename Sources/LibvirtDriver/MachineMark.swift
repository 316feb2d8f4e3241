import Core
import Foundation
import PrivateFiles

/// The metadata of a domain: the installation that it belongs to, how the running machine is reached, and its user.
struct MachineMark: Sendable, Equatable {
  static let namespace = "urn:vpsd:machine"

  let installation: UUID
  let label: String
  let address: IPv4Address
  let sshPort: UInt16
  /// The owner of its process and its files.
  let owner: FileOwner
  /// Its share of the host's processors once it runs.
  let cpuWeight: Int

  init(
    installation: UUID, label: String, address: IPv4Address, sshPort: UInt16, owner: FileOwner = .root,
    cpuWeight: Int = ResourceLimits.standard(vcpus: 1).cpuWeight
  ) {
    self.installation = installation
    self.label = label
    self.address = address
    self.sshPort = sshPort
    self.owner = owner
    self.cpuWeight = cpuWeight
  }

  /// Parses the element as libvirt prints it; nil where it is not ours.
  init?(metadata: String) {
    func attribute(_ name: String) -> String? {
      guard let start = metadata.range(of: " \(name)=\"") ?? metadata.range(of: " \(name)='") else { return nil }
      let quote = metadata[metadata.index(before: start.upperBound)]
      guard let end = metadata[start.upperBound...].firstIndex(of: quote) else { return nil }
      return String(metadata[start.upperBound..<end])
    }
    guard let installation = attribute("installation").flatMap(UUID.init(uuidString:)),
      let label = attribute("label"), let address = attribute("address").flatMap({ IPv4Address($0) }),
      let sshPort = attribute("ssh-port").flatMap({ UInt16($0) })
    else { return nil }
    // Machines defined before QEMU had users of its own have neither.
    let (user, group) = (attribute("user").flatMap { UInt32($0) }, attribute("group").flatMap { UInt32($0) })
    self.init(
      installation: installation, label: label, address: address, sshPort: sshPort,
      owner: FileOwner(user: user ?? 0, group: group ?? 0),
      cpuWeight: attribute("cpu-weight").flatMap { Int($0) } ?? ResourceLimits.standard(vcpus: 1).cpuWeight)
  }

  var markup: Markup {
    Markup(
      "vpsd:machine",
      [
        "xmlns:vpsd": Self.namespace, "installation": installation.text, "label": label,
        "address": address.description, "ssh-port": String(sshPort),
        "user": String(owner.user), "group": String(owner.group), "cpu-weight": String(cpuWeight),
      ])
  }
}
