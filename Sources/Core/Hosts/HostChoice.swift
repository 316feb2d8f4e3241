/// Chooses the host of a new server: the least loaded one that has room for it.
package enum HostChoice {
  /// - Parameter candidates: The hosts of the server's location, in any state.
  /// - Returns: Nil if none has room.
  package static func host(for plan: Plan, among candidates: [HostLoad]) -> Host? {
    candidates.filter { $0.host.state == .active && $0.hasRoom(for: plan) }
      .min { $0.precedence(with: plan) < $1.precedence(with: plan) }?.host
  }
}

extension HostLoad {
  fileprivate func hasRoom(for plan: Plan) -> Bool {
    guard let capacity = host.capacity else { return true }
    return reserved.vcpus + plan.vcpus <= capacity.vcpus && reserved.memoryMiB + plan.memoryMiB <= capacity.memoryMiB
      && reserved.storageGiB + plan.storageGiB <= capacity.storageGiB
  }

  /// Lower is better: how full the scarcest resource would be, in thousandths; then, for hosts without a limit, what is
  /// reserved.
  fileprivate func precedence(with plan: Plan) -> (Int, Int, Int, ID<Host>) {
    (takenPermille(with: plan), reserved.memoryMiB, serverCount, host.id)
  }

  private func takenPermille(with plan: Plan) -> Int {
    guard let capacity = host.capacity else { return 0 }
    func permille(_ taken: Int, _ all: Int) -> Int { all > 0 ? taken * 1000 / all : 1000 }
    return max(
      permille(reserved.vcpus + plan.vcpus, capacity.vcpus),
      permille(reserved.memoryMiB + plan.memoryMiB, capacity.memoryMiB),
      permille(reserved.storageGiB + plan.storageGiB, capacity.storageGiB))
  }
}
