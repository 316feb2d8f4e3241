import Core
import Foundation

/// What a container is to be, in the words of the API.
struct InstanceDefinition: Sendable, Equatable {
  let name: String
  let config: [String: String]
  let devices: [String: [String: String]]

  static let rootDevice = "root"

  init(
    _ specification: MachineSpecification, _ configuration: IncusDriver.Configuration,
    _ dialect: ServerDialect = .incus
  ) {
    name = Instance.name(of: specification.machine)
    config = Self.limits(of: specification).merging(Self.safety(dialect)) { $1 }
      .merging(Self.mark(of: specification, configuration)) { $1 }
      .merging(Self.identity(of: specification)) { $1 }
      .merging(["user.vpsd.network": configuration.network.settings(of: specification.interface)]) { $1 }
    devices = [
      Self.rootDevice: [
        "type": "disk", "path": "/", "pool": configuration.storagePool, "size": "\(specification.storageGiB)GiB",
      ]
    ].merging(configuration.network.devices(of: specification)) { $1 }
  }

  private static func limits(of specification: MachineSpecification) -> [String: String] {
    [
      "limits.cpu": String(specification.vcpus),
      "limits.cpu.allowance": allowance(specification.limits),
      "limits.memory": "\(specification.memoryMiB)MiB", "limits.memory.swap": "false",
      "limits.processes": String(processes(ofMiB: specification.memoryMiB)),
    ]
  }

  /// A weight where processors are short, and no ceiling: 100 % is the weight of a container that says nothing.
  static func allowance(_ limits: ResourceLimits) -> String { "\(max(1, limits.cpuWeight))%" }

  /// All containers share the numbers of one kernel.
  private static func processes(ofMiB memoryMiB: Int) -> Int { min(32_768, max(2000, 2 * memoryMiB)) }

  /// What a container must not do to its host, nor to its neighbours. What ran is started again by whoever knows that it
  /// should.
  private static func safety(_ dialect: ServerDialect) -> [String: String] {
    [
      "security.privileged": "false", "security.nesting": "false", "security.idmap.isolated": "true",
      dialect.guestAccessKey: "false", "boot.autostart": "false",
    ]
  }

  private static func mark(
    of specification: MachineSpecification, _ configuration: IncusDriver.Configuration
  ) -> [String: String] {
    [
      MarkKey.installation.rawValue: configuration.installation.text,
      MarkKey.machine.rawValue: specification.machine.text, MarkKey.label.rawValue: specification.label,
      MarkKey.member.rawValue: configuration.member ?? "",
      MarkKey.addresses.rawValue: specification.interface.addresses.map(\.description).joined(separator: ","),
    ]
  }

  /// The image's templates write these into a disk that is new, and cloud-init, where the image has it, does the user data.
  private static func identity(of specification: MachineSpecification) -> [String: String] {
    [
      "user.vpsd.hostname": specification.hostname.firstLabel, "user.vpsd.fqdn": specification.hostname.name,
      "user.vpsd.machine-id": specification.machine.text.filter { $0 != "-" },
      "user.vpsd.key": specification.authorizedKey ?? "",
      "user.vpsd.password-hash": specification.rootPasswordHash ?? "",
      "cloud-init.user-data": specification.userData ?? "",
    ]
  }
}

extension InstanceDefinition {
  /// The one call that makes it, from the image with this fingerprint: an alias might be another image's by then.
  func creation(fingerprint: String) -> JSONBody {
    JSONBody([
      "name": .text(name), "type": .text("container"), "profiles": .list([]), "ephemeral": .flag(false),
      "source": .object(["type": .text("image"), "fingerprint": .text(fingerprint)]),
      "config": .texts(config.filter { !$0.value.isEmpty }), "devices": .object(devices.mapValues { .texts($0) }),
    ])
  }

  /// What an instance has to be told to become this; nil where it is. A disk never becomes smaller: the server would hold it to that
  /// and then never let it grow again.
  func change(of instance: Instance, settingAlso more: [String: String] = [:]) -> Change? {
    let wanted = config.merging(more) { $1 }
    let changed = wanted.filter { (instance.config[$0.key] ?? "") != $0.value }
    var replaced = devices.filter { instance.devices[$0.key] != $0.value }
    if let root = replaced[Self.rootDevice], let present = instance.devices[Self.rootDevice],
      !Self.isGrowth(from: present["size"], to: root["size"])
    {
      replaced[Self.rootDevice] = nil
    }
    // A card that is exchanged while its guest runs would have no addresses.
    if !instance.isOff { replaced[ContainerNetwork.card] = nil }
    let stale = instance.devices.keys.filter { ContainerNetwork.leadsIn($0) && devices[$0] == nil }
    guard stale.isEmpty else { return .whole(instance.whole(changed, replaced, without: stale)) }
    guard !changed.isEmpty || !replaced.isEmpty else { return nil }
    return .merged(JSONBody(["config": .texts(changed), "devices": .object(replaced.mapValues { .texts($0) })]))
  }

  enum Change: Sendable, Equatable {
    /// With what is there: an empty text takes a key away, and devices are replaced one by one.
    case merged(JSONBody)
    /// In the place of all that is there, as it alone takes devices away.
    case whole(JSONBody)
  }

  private static func isGrowth(from present: String?, to wanted: String?) -> Bool {
    guard let present = present.flatMap(gibibytes), let wanted = wanted.flatMap(gibibytes) else { return false }
    return wanted > present
  }

  private static func gibibytes(_ size: String) -> Int? {
    size.hasSuffix("GiB") ? Int(size.dropLast(3)) : nil
  }
}

extension Instance {
  fileprivate func whole(
    _ changed: [String: String], _ replaced: [String: [String: String]], without stale: [String]
  ) -> JSONBody {
    let config = config.merging(changed) { $1 }.filter { !$0.value.isEmpty }
    let devices = devices.merging(replaced) { $1 }.filter { !stale.contains($0.key) }
    return JSONBody([
      "architecture": .text(architecture ?? ""), "config": .texts(config), "description": .text(description ?? ""),
      "devices": .object(devices.mapValues { .texts($0) }), "ephemeral": .flag(false), "stateful": .flag(false),
      "profiles": .list((profiles ?? []).map { .text($0) }),
    ])
  }
}
