import Core

import struct Foundation.UUID

/// The rows of a host's servers beside what was seen of their machines: put together once for all who compare them.
struct HostLook: Sendable {
  struct SeenServer: Sendable {
    let item: InventoryItem
    let power: MachinePower
    let usage: MachineUsage?

    var id: ID<Server> { item.id }
  }

  /// In the order of ids.
  let servers: [SeenServer]
  /// The machines that belong to none of these servers.
  let strangers: Set<UUID>

  /// - Parameter inventory: In the order of ids.
  init(_ inventory: [InventoryItem], _ observed: MachineObservation) {
    var knownCount = 0
    servers = inventory.map { item in
      let machine = observed.machines[item.uuid]
      if machine != nil { knownCount += 1 }
      return SeenServer(item: item, power: machine?.power ?? .absent, usage: machine?.usage)
    }
    // Nearly always there are none.
    strangers =
      knownCount == observed.machines.count ? [] : Set(observed.machines.keys).subtracting(inventory.map(\.uuid))
  }
}
