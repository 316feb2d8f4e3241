import Core
import Foundation
import PrivateFiles

/// What a domain carries in its metadata: whose it is, how the running machine is reached, and as whom it runs.
struct MachineMark: Sendable, Equatable {
  static let namespace = "urn:vpsd:machine"

  let installation: UUID
  let label: String
  let address: IPv4Address
  let sshPort: UInt16
  /// Of its process and its files.
  let owner: FileOwner
  /// What it has of the host's processors once it runs.
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

  /// Reads the element back as libvirt prints it; nil where it is not ours.
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
    // Those that were defined before there were other users have none.
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
