/// Chooses the host of a new server: the least loaded one that has room for it.
package enum HostChoice {
  /// - Parameter candidates: The hosts of the server's location, in any state.
  /// - Returns: Nil if none has room.
  package static func host(for plan: Plan, among candidates: [HostLoad]) -> Host? {
    host(forShare: HostCapacity(of: plan), among: candidates)
  }

  /// The same for what a server has reserved.
  package static func host(forShare share: HostCapacity, among candidates: [HostLoad]) -> Host? {
    candidates.filter { $0.host.state == .active && $0.hasRoom(for: share) }
      .min { $0.precedence(with: share) < $1.precedence(with: share) }?.host
  }
}

extension HostCapacity {
  package init(of plan: Plan) {
    self.init(vcpus: plan.vcpus, memoryMiB: plan.memoryMiB, storageGiB: plan.storageGiB)
  }
}

extension HostLoad {
  fileprivate func hasRoom(for share: HostCapacity) -> Bool {
    guard let capacity = host.capacity else { return true }
    return reserved.vcpus + share.vcpus <= capacity.vcpus && reserved.memoryMiB + share.memoryMiB <= capacity.memoryMiB
      && reserved.storageGiB + share.storageGiB <= capacity.storageGiB
  }

  /// Lower is better: how full the scarcest resource would be, in thousandths; then, for hosts without a limit, what is
  /// reserved.
  fileprivate func precedence(with share: HostCapacity) -> (Int, Int, Int, ID<Host>) {
    (takenPermille(with: share), reserved.memoryMiB, serverCount, host.id)
  }

  private func takenPermille(with share: HostCapacity) -> Int {
    guard let capacity = host.capacity else { return 0 }
    func permille(_ taken: Int, _ all: Int) -> Int { all > 0 ? taken * 1000 / all : 1000 }
    return max(
      permille(reserved.vcpus + share.vcpus, capacity.vcpus),
      permille(reserved.memoryMiB + share.memoryMiB, capacity.memoryMiB),
      permille(reserved.storageGiB + share.storageGiB, capacity.storageGiB))
  }
}
