import Core

import struct Foundation.UUID

extension Runner {
  struct State {
    var isStopping = false
    /// The tokens of the leases whose step runs and is not given up.
    var running: Set<UUID> = []
    /// How many steps in a row had waited before, and not been claimed.
    var resumedInRow = 0
    /// Operations that have got a slot, until the store was told.
    var hastened: [ID<Core.Operation>] = []
    var toGiveBack: [Return] = []
    /// The tokens of claims that got no answer, or got it too late.
    var lostClaims: [UUID] = []
  }

  struct Return {
    let lease: Lease
    let reason: String
    var due: Instant
  }
}
